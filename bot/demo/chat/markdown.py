"""Discord's dialect of Markdown as safe HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

_ENTITY = re.compile(
    r"<(?:@!?(?P<user>\d+)|@&(?P<role>\d+)|#(?P<channel>\d+)|t:(?P<time>-?\d+)(?::(?P<style>[tTdDfFR]))?"
    r"|a?:(?P<emoji>\w+):\d+)>"
)
_SMALL_LINE = re.compile(r"(?m)^(?=-# )")
_SUBTEXT = re.compile(r"(?m)^(<p>)?-# (.*?)(<br />|</p>)?$")
_SPOILER = re.compile(r"\|\|(.+?)\|\|")


class Markdown:
    """Renders message text; `name(kind, id)` is the name of a mentioned user, role or channel."""

    def __init__(self, name: Callable[[str, int], str]) -> None:
        self._name = name
        # Whenever anything changes, a page is rebuilt from mostly the same texts.
        self._rendered = lru_cache(maxsize=2048)(self._render)
        self._parser = MarkdownIt("commonmark", {"html": False, "linkify": True, "breaks": True})
        self._parser.enable(["linkify", "strikethrough"])
        self._parser.disable(["image", "html_block", "html_inline", "entity", "reference", "lheading", "hr"])
        self._parser.inline.ruler.before("autolink", "discord", self._entity)
        for rule, function in {
            "strong_open": _strong,
            "strong_close": _strong,
            "link_open": _link,
            "heading_open": _heading,
            "heading_close": _heading,
        }.items():
            self._parser.add_render_rule(rule, function)
        self._parser.add_render_rule("discord", lambda _renderer, tokens, index, *_: tokens[index].content)

    def __call__(self, text: str) -> str:
        """`text` as HTML, whose only markup is from Discord's Markdown; everything else is escaped."""
        return self._rendered(text)

    def _render(self, text: str) -> str:
        html: str = self._parser.render(_SMALL_LINE.sub("\n", text))
        html = _SUBTEXT.sub(lambda m: f"{m[1] or ''}<small>{m[2]}</small>{m[3] or ''}", html)
        return _SPOILER.sub(r'<span class="spoiler" tabindex="0">\1</span>', html)

    def _entity(self, state: StateInline, silent: bool) -> bool:
        found = _ENTITY.match(state.src, state.pos)
        if not found:
            return False
        if not silent:
            state.push("discord", "", 0).content = self._html(found)
        state.pos = found.end()
        return True

    def _html(self, found: re.Match[str]) -> str:
        for kind, sign in (("user", "@"), ("role", "@"), ("channel", "#")):
            if number := found[kind]:
                label = escape(sign + self._name(kind, int(number)))
                data = f' data-open="{number}" role="link" tabindex="0"' if kind == "channel" else ""
                return f'<span class="mention"{data}>{label}</span>'
        if found["time"]:
            return f'<time data-unix="{found["time"]}" data-style="{found["style"] or "f"}"></time>'
        return f":{escape(found['emoji'])}:"


def _strong(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    # In Discord, two underscores underline.
    tag = "u" if tokens[index].markup == "__" else "strong"
    return f"<{tag}>" if tokens[index].nesting == 1 else f"</{tag}>"


def _heading(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    level = min(int(tokens[index].tag[1:]), 3)
    slash = "" if tokens[index].nesting == 1 else "/"
    return f"<{slash}div{'' if slash else f' class=heading{level}'}>"


def _link(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("target", "_blank")
    tokens[index].attrSet("rel", "noopener noreferrer")
    return renderer.renderToken(tokens, index, options, env)
