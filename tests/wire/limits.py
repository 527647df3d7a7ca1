"""What Discord refuses: each function yields, in words, what is wrong with a payload.

The numbers are those of Discord's documentation, https://docs.discord.com/developers, under Message, Embed,
Component, Application Command and Channel.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MIB = 2**20
MOST_FILES, FILE_SIZE, REQUEST_SIZE = 10, 10 * MIB, 25 * MIB
SUPPRESS_EMBEDS, EPHEMERAL, SUPPRESS_NOTIFICATIONS = 1 << 2, 1 << 6, 1 << 12
SUB_COMMAND, SUB_COMMAND_GROUP, STRING = 1, 2, 3
"""Types of a command's options."""
ROW, BUTTON, TEXT_INPUT, LABEL = 1, 2, 4, 18
STRING_SELECT, SELECTS = 3, {3, 5, 6, 7, 8}
"""Types of components."""
CALLBACKS = {2: {4, 5, 9}, 3: {4, 5, 6, 7, 9}, 4: {8}, 5: {4, 5, 6, 7}}
"""By an interaction's type (command, component, autocomplete, form), the types of its callback."""

Payload = Mapping[str, Any]
Problems = Iterator[str]


def message(
    payload: Payload, files: Mapping[str, bytes], kept: Iterable[str] = (), flags: int = 0, edit: bool = False
) -> Problems:
    """A message to send or the change of one.

    `files` are the uploads by their names, `kept` the names of files that it has already; `flags` are allowed
    beside those of any message. A change may leave anything out.
    """
    yield from _length("content", payload.get("content") or "", 2000)
    yield from _length("nonce", str(payload.get("nonce") or ""), 25)
    yield from embeds(payload.get("embeds") or ())
    yield from components(payload.get("components") or ())
    yield from _files(payload, files)
    yield from _mentions(payload.get("allowed_mentions") or {})
    unknown = payload.get("flags", 0) & ~(SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | flags)
    if unknown:
        yield f"flags {unknown:#x} can't be set here"
    if not edit and is_empty(payload, files):
        yield "an empty message (50006)"
    named = {*files, *kept}
    for embed in payload.get("embeds") or ():
        for part in ("image", "thumbnail", "footer", "author"):
            url = str(embed.get(part, {}).get("icon_url" if part in ("footer", "author") else "url") or "")
            if url.startswith("attachment://") and url.removeprefix("attachment://") not in named:
                yield f"an embed shows {url}, which is not attached"


def is_empty(payload: Payload, files: Mapping[str, bytes]) -> bool:
    """Whether there is nothing to show in a message: error 50006."""
    said = str(payload.get("content") or "").strip()
    return not (said or payload.get("embeds") or files or payload.get("attachments"))


def embeds(given: Iterable[Payload]) -> Problems:
    """The embeds of one message."""
    given = list(given)
    if len(given) > 10:
        yield f"{len(given)} embeds; 10 are allowed"
    total = 0
    for embed in given:
        fields = embed.get("fields") or ()
        footer, author = embed.get("footer") or {}, embed.get("author") or {}
        texts: list[tuple[str, str, int, int]] = [
            ("title", embed.get("title") or "", 256, 0),
            ("description", embed.get("description") or "", 4096, 0),
            ("footer", footer.get("text") or "", 2048, 0),
            ("author", author.get("name") or "", 256, 0),
        ]
        for field in fields:
            texts += [("field name", field["name"], 256, 1), ("field value", field["value"], 1024, 1)]
        for what, text, most, least in texts:
            yield from _length(f"embed {what}", text, most, least)
            total += len(text)
        if len(fields) > 25:
            yield f"{len(fields)} fields in an embed; 25 are allowed"
        if not 0 <= (embed.get("color") or 0) <= 0xFFFFFF:
            yield f"color {embed['color']}"
        for part in ("image", "thumbnail"):
            url = str((embed.get(part) or {}).get("url") or "https://")
            if not url.startswith(("http://", "https://", "attachment://")):
                yield f"embed {part} at {url!r}"
    if total > 6000:
        yield f"{total} characters in all embeds; 6000 are allowed"


def components(rows: Iterable[Payload]) -> Problems:
    """The rows of buttons and lists under a message."""
    rows = list(rows)
    if len(rows) > 5:
        yield f"{len(rows)} rows of components; 5 are allowed"
    for row in rows:
        inside = row.get("components") or []
        if row["type"] != ROW:
            yield f"a component of type {row['type']} outside a row"
        elif all(one["type"] == BUTTON for one in inside):
            if not 1 <= len(inside) <= 5:
                yield f"{len(inside)} buttons in a row; 1 to 5 are allowed"
            for button in inside:
                yield from _button(button)
        elif len(inside) == 1 and inside[0]["type"] in SELECTS:
            yield from _select(inside[0])
        else:
            yield f"components of types {[one['type'] for one in inside]} in one row"
    yield from _unique(
        "custom_id", (one.get("custom_id") for row in rows for one in row.get("components") or ())
    )


def _button(button: Payload) -> Problems:
    style = button.get("style")
    if style not in range(1, 7):
        yield f"button style {style}"
    if style in range(1, 5):
        yield from _length("custom_id", button.get("custom_id") or "", 100, 1)
    if style == 5 and not str(button.get("url", "")).startswith(("http://", "https://", "discord://")):
        yield f"a link button to {button.get('url')!r}"
    yield from _length("button label", button.get("label") or "", 80)
    if style != 6 and not (button.get("label") or button.get("emoji")):
        yield "a button with neither label nor emoji"


def _select(select: Payload) -> Problems:
    yield from _length("custom_id", select.get("custom_id") or "", 100, 1)
    yield from _length("placeholder", select.get("placeholder") or "", 150)
    least, most = select.get("min_values", 1), select.get("max_values", 1)
    if not (0 <= least <= 25 and 1 <= most <= 25 and least <= most):
        yield f"a list from which {least} to {most} are chosen"
    defaults = select.get("default_values") or ()
    if select["type"] == STRING_SELECT:
        options = select.get("options") or ()
        if not 1 <= len(options) <= 25:
            yield f"{len(options)} options in a list; 1 to 25 are allowed"
        if most > len(options):
            yield f"a list of {len(options)} from which {most} may be chosen"
        for option in options:
            yield from _length("option label", option["label"], 100, 1)
            yield from _length("option value", option["value"], 100, 1)
            yield from _length("option description", option.get("description") or "", 100)
        yield from _unique("option value", (option["value"] for option in options))
        defaults = [option for option in options if option.get("default")]
    if defaults and not least <= len(defaults) <= most:
        yield f"{len(defaults)} chosen by default of {least} to {most}"


def modal(payload: Payload) -> Problems:
    """A form."""
    yield from _length("form title", payload.get("title") or "", 45, 1)
    yield from _length("custom_id", payload.get("custom_id") or "", 100, 1)
    parts = payload.get("components") or ()
    if not 1 <= len(parts) <= 5:
        yield f"{len(parts)} components in a form; 1 to 5 are allowed"
    for part in parts:
        if part["type"] == LABEL:
            yield from _length("label", part.get("label") or "", 45, 1)
            yield from _length("label description", part.get("description") or "", 100)
        elif part["type"] != ROW:
            yield f"a component of type {part['type']} in a form"
    fields = list(form_fields(payload))
    for field in fields:
        if field["type"] in SELECTS:
            yield from _select(field)
        elif field["type"] == TEXT_INPUT:
            yield from _text_input(field)
        else:
            yield f"a field of type {field['type']} in a form"
    yield from _unique("custom_id", (field.get("custom_id") for field in fields))


def form_fields(payload: Payload) -> Iterator[Any]:
    """The inputs of a form, out of their labels and rows."""
    for part in payload.get("components") or ():
        if part["type"] == LABEL:
            yield part["component"]
        else:
            yield from part["components"]


def _text_input(field: Payload) -> Problems:
    yield from _length("custom_id", field.get("custom_id") or "", 100, 1)
    yield from _length("field label", field.get("label") or "", 45)
    yield from _length("placeholder", field.get("placeholder") or "", 100)
    least, most = field.get("min_length") or 0, field.get("max_length") or 4000
    if not (0 <= least <= most and 1 <= most <= 4000):
        yield f"a field for {least} to {most} characters"
    yield from _length("field value", field.get("value") or "", most)
    if field.get("style") not in (1, 2):
        yield f"field style {field.get('style')}"


def commands(given: Iterable[Payload]) -> Problems:
    """All commands of an application, as they are synced."""
    given = list(given)
    kinds = Counter(command.get("type", 1) for command in given)
    for kind, most in ((1, 100), (2, 15), (3, 15)):
        if kinds[kind] > most:
            yield f"{kinds[kind]} commands of type {kind}; {most} are allowed"
    yield from _unique("command", ((command.get("type", 1), command["name"]) for command in given))
    for command in given:
        if command.get("type", 1) == 1:
            yield from _command(command, depth=0)
            if (size := _size(command)) > 8000:
                yield f"{size} characters in /{command['name']}; 8000 are allowed"
        else:
            yield from _length("menu name", command["name"], 32, 1)
            if command.get("description"):
                yield f"the menu entry {command['name']!r} has a description"


def _command(node: Payload, depth: int) -> Problems:
    name, options = node["name"], node.get("options") or ()
    if not re.fullmatch(r"[-_'\w]{1,32}", name) or name != name.lower():
        yield f"a command or option named {name!r}"
    yield from _length(f"description of {name}", node.get("description") or "", 100, 1)
    if len(options) > 25:
        yield f"{len(options)} options in {name}; 25 are allowed"
    yield from _unique(f"option of {name}", (option["name"] for option in options))
    nested = [option for option in options if option["type"] in (SUB_COMMAND, SUB_COMMAND_GROUP)]
    if nested and len(nested) < len(options):
        yield f"{name} has both subcommands and options"
    if any(option["type"] == SUB_COMMAND_GROUP for option in options) and depth > 0:
        yield f"a group of subcommands in {name}, which is one itself"
    if nested and depth > 1:
        yield f"subcommands in the subcommand {name}"
    wanted = [bool(option.get("required")) for option in options]
    if wanted != sorted(wanted, reverse=True):
        yield f"{name} has a required option behind an optional one"
    choices = node.get("choices") or ()
    yield from _choices(name, choices)
    if choices and node.get("autocomplete"):
        yield f"{name} has both choices and autocomplete"
    for option in options:
        if option["type"] not in range(1, 12):
            yield f"the option {option['name']} is of type {option['type']}"
        yield from _command(option, depth + 1 if option in nested else depth)


def _size(node: Payload) -> int:
    texts = [node["name"], node.get("description", "")]
    for choice in node.get("choices") or ():
        texts += [choice["name"], str(choice["value"])]
    return sum(map(len, texts)) + sum(map(_size, node.get("options") or ()))


def autocomplete(payload: Payload) -> Problems:
    """What is suggested for an option of a command."""
    yield from _choices("autocomplete", payload.get("choices") or ())


def _choices(name: str, choices: Iterable[Payload]) -> Problems:
    choices = list(choices)
    if len(choices) > 25:
        yield f"{len(choices)} choices for {name}; 25 are allowed"
    for choice in choices:
        yield from _length(f"choice of {name}", choice["name"], 100, 1)
        if isinstance(choice["value"], str):
            yield from _length(f"value of a choice of {name}", choice["value"], 100)


def thread(payload: Payload, edit: bool = False) -> Problems:
    """A thread to begin, or the change of one."""
    if not edit or "name" in payload:
        yield from _length("thread name", payload.get("name") or "", 100, 1)
    if payload.get("auto_archive_duration", 60) not in (None, 60, 1440, 4320, 10080):
        yield f"auto_archive_duration {payload['auto_archive_duration']}"
    if not 0 <= (payload.get("rate_limit_per_user") or 0) <= 21600:
        yield f"rate_limit_per_user {payload['rate_limit_per_user']}"


def _files(payload: Payload, files: Mapping[str, bytes]) -> Problems:
    described = payload.get("attachments") or ()
    if max(len(files), len(described)) > MOST_FILES:
        yield f"{max(len(files), len(described))} files; {MOST_FILES} are allowed"
    for name, data in files.items():
        if len(data) > FILE_SIZE:
            yield f"{name} has {len(data)} bytes; {FILE_SIZE} are allowed"
        if not re.fullmatch(r"[\w.-]{1,260}", name):
            yield f"a file named {name!r}"
    if (total := sum(map(len, files.values()))) > REQUEST_SIZE:
        yield f"{total} bytes in all files; {REQUEST_SIZE} are allowed"
    for one in described:
        yield from _length("alt text", one.get("description") or "", 1024)


def _mentions(allowed: Payload) -> Problems:
    parse = allowed.get("parse") or ()
    if unknown := set(parse) - {"users", "roles", "everyone"}:
        yield f"allowed_mentions of {unknown}"
    for kind in ("users", "roles"):
        if len(allowed.get(kind) or ()) > 100:
            yield f"more than 100 {kind} in allowed_mentions"
        if kind in parse and allowed.get(kind):
            yield f"allowed_mentions has both all {kind} and a list of them"


def _length(what: str, text: str, most: int, least: int = 0) -> Problems:
    if len(text) > most:
        yield f"{what} has {len(text)} characters; {most} are allowed: {text[:60]!r}…"
    elif len(text.strip()) < least:
        yield f"{what} is empty"


def _unique(what: str, names: Iterable[object]) -> Problems:
    for name, times in Counter(name for name in names if name is not None).items():
        if times > 1:
            yield f"{what} {name!r} is there {times} times"
