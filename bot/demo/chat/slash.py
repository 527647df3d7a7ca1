"""Slash commands as people type them: `/bag grid 4` or `/bag grid n:4`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import simcord
from simcord.interactions import command_leaves, parse_option_input

_WORD = re.compile(r"\s*(?:(?P<name>[\w-]+):)?(?:\"(?P<quoted>[^\"]*)\"|(?P<plain>\S+))")
_LAST_WORD = re.compile(r"\s*(?:(?P<name>[\w-]+):)?(?P<word>(?P<quoted>\"[^\"]*\"?)|\S*)")
_STRING, _USER = 3, 6
_ON_MESSAGES = 3

Privacy = Mapping[str, simcord.MemberActor]


@dataclass(frozen=True)
class Typing:
    """The option in which somebody types: what of it is there, the text before it, the values beside it."""

    option: dict[str, Any]
    typed: str
    before: str
    beside: dict[str, str]

    def completed(self, value: str) -> str:
        """The text with a value in place of what was typed."""
        return f'{self.before}"{value}"' if re.search(r"\s", value) else f"{self.before}{value}"


def commands(env: simcord.Env, actor: simcord.MemberActor, channel: int) -> dict[str, dict[str, Any]]:
    """The slash commands that `actor` may use in `channel`, by name (`bag grid`)."""
    roots = env.backend.visible_commands(user_id=actor.id, channel_id=channel)
    return {" ".join(path): leaf for root in roots for path, leaf in command_leaves(root)}


def menus(env: simcord.Env, actor: simcord.MemberActor, channel: int) -> list[str]:
    """The commands of the menu "Apps" of a message."""
    found = env.backend.visible_commands(user_id=actor.id, channel_id=channel, type=_ON_MESSAGES)
    return [str(command["name"]) for command in found]


def find(text: str, known: Mapping[str, dict[str, Any]]) -> str | None:
    """The name of the longest command that `text` begins with; None if there is none."""
    words = text.removeprefix("/").split()
    if not text.startswith("/"):
        return None
    names = (" ".join(words[:count]) for count in range(len(words), 0, -1))
    return next((name for name in names if name in known), None)


def options(text: str, name: str, leaf: Mapping[str, Any], people: Privacy) -> dict[str, Any]:
    """The options after the command's name in `text`, each with its type.

    Words without an option's name fill the options in order; the last text option takes the rest.
    Raises simcord.OptionError for a value of the wrong kind.
    """
    line = _after(text, name)
    declared = {option["name"]: option for option in leaf.get("options") or []}
    raw: dict[str, str] = {}
    position = 0
    while found := _WORD.match(line, position):
        word = found["quoted"] if found["quoted"] is not None else found["plain"]
        free = [option for option in declared.values() if option["name"] not in raw]
        if found["name"] in declared:
            option = declared[found["name"]]
        elif free:
            option = free[0]
        else:
            raise simcord.OptionError(
                "option-unknown", None, f"/{name} does not know what to do with “{word}”"
            )
        raw[option["name"]] = word
        if option["type"] == _STRING and found["quoted"] is None and len(raw) == len(declared):
            begin = found.start("plain") if found["name"] in declared else found.start()
            raw[option["name"]] = line[begin:].strip()
            break
        position = found.end()
    return {key: _typed(name, declared[key], value, people) for key, value in raw.items()}


def typing(text: str, name: str, leaf: Mapping[str, Any]) -> Typing | None:
    """Where the end of `text` is, which begins with the command's name; None if that is in no option."""
    line = _after(text, name)
    if not line and not text.endswith(" "):
        return None
    declared = {option["name"]: option for option in leaf.get("options") or []}
    beside: dict[str, str] = {}
    position = 0
    while True:
        free = [option for option in declared.values() if option["name"] not in beside]
        found = _LAST_WORD.match(line, position)
        if found is None or not free:
            return None
        if found["name"] and found["name"] not in declared:
            return None
        option = declared[found["name"]] if found["name"] else free[0]
        is_last = len({*beside, option["name"]}) == len(declared)
        rest_is_its = is_last and option["type"] == _STRING and found["quoted"] is None
        word = line[found.start("word") :] if rest_is_its else found["word"]
        if rest_is_its or found.end() == len(line):
            return Typing(option, word.strip('"'), text[: len(text) - len(word)], beside)
        beside[option["name"]] = word.strip('"')
        position = found.end()


def _after(text: str, name: str) -> str:
    """What follows the command's name."""
    rest = text.removeprefix("/").split(None, len(name.split()))
    return rest[-1] if len(rest) > len(name.split()) else ""


def _typed(command: str, option: dict[str, Any], word: str, people: Privacy) -> Any:
    if option["type"] != _USER:
        return parse_option_input(command, option, word)
    wanted = word.strip("<@!>").casefold()
    for key, actor in people.items():
        if wanted in (key.casefold(), str(actor.id), (actor.user.global_name or "").casefold()):
            return actor
    raise simcord.OptionError("option-entity", option["name"], f"nobody here is called “{word}”")
