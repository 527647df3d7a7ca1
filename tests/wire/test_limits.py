"""The wire refuses what Discord refuses."""

from typing import Any

import pytest

from tests.wire import limits

BUTTON = {"type": 2, "style": 1, "custom_id": "bag:again", "label": "another"}
OPTION = {"label": "1 · k3f9x2-42", "value": "k3f9x2-42"}
LIST = {"type": 3, "custom_id": "bag:pick", "options": [OPTION]}
COMMAND = {"name": "bag", "description": "Dream a bag"}
FIELD = {"type": 4, "custom_id": "zone", "style": 1}
LONG = [{"name": f"{n}{'x' * 90}", "value": "x"} for n in range(25)]
LABEL = {"type": 18, "label": "Zone", "component": FIELD}
FORM = {"title": "Setup", "custom_id": "form", "components": [LABEL]}


def row(*components: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(components)}


def form(**changes: object) -> dict[str, Any]:
    return FORM | {"components": [LABEL | {"component": FIELD | changes}]}


def option(**changes: object) -> dict[str, Any]:
    return {"name": "code", "type": 3, "description": "the bag"} | changes


def test_what_is_within_the_limits_passes() -> None:
    embed = {"title": "A bag", "image": {"url": "attachment://bag.png"}}
    message = {"content": "x" * 2000, "embeds": [embed], "components": [row(BUTTON), row(LIST)]}
    assert not list(limits.message(message, {"bag.png": b"png"}))
    assert not list(limits.modal(FORM))
    assert not list(limits.commands([COMMAND | {"options": [option(required=True), option(name="other")]}]))
    assert not list(limits.thread({"name": "Run", "auto_archive_duration": 1440}))


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"content": " \n"},
        {"content": "x" * 2001},
        {"content": "x", "nonce": "x" * 26},
        {"content": "x", "flags": 1 << 6},
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}},
        {"content": "x", "attachments": [{"id": 0, "description": "x" * 1025}]},
        {"embeds": [{"title": "x"}] * 11},
        {"embeds": [{"title": "x" * 257}]},
        {"embeds": [{"description": "x" * 4097}]},
        {"embeds": [{"description": "x" * 3001}] * 2},
        {"embeds": [{"footer": {"text": "x" * 2049}}]},
        {"embeds": [{"author": {"name": "x" * 257}}]},
        {"embeds": [{"fields": [{"name": "x", "value": "x"}] * 26}]},
        {"embeds": [{"fields": [{"name": "x", "value": ""}]}]},
        {"embeds": [{"fields": [{"name": "x", "value": "x" * 1025}]}]},
        {"embeds": [{"image": {"url": "attachment://other.png"}}]},
        {"embeds": [{"color": 1 << 24}]},
        {"content": "x", "components": [row(BUTTON)] * 6},
        {"content": "x", "components": [row()]},
        {"content": "x", "components": [BUTTON]},
        {"content": "x", "components": [row(*({**BUTTON, "custom_id": str(n)} for n in range(6)))]},
        {"content": "x", "components": [row(BUTTON, BUTTON)]},
        {"content": "x", "components": [row(BUTTON, LIST)]},
        {"content": "x", "components": [row({**BUTTON, "custom_id": "x" * 101})]},
        {"content": "x", "components": [row({**BUTTON, "label": "x" * 81})]},
        {"content": "x", "components": [row({**BUTTON, "label": ""})]},
        {"content": "x", "components": [row({**LIST, "options": []})]},
        {"content": "x", "components": [row({**LIST, "options": [OPTION, OPTION]})]},
        {"content": "x", "components": [row({**LIST, "max_values": 2})]},
        {"content": "x", "components": [row({**LIST, "placeholder": "x" * 151})]},
    ],
)
def test_a_message_beyond_a_limit_is_refused(payload: dict[str, Any]) -> None:
    assert list(limits.message(payload, {}))


@pytest.mark.parametrize(
    "files",
    [{str(n): b"" for n in range(11)}, {"big.gif": b" " * (10 * limits.MIB + 1)}, {"a b/c.png": b""}],
)
def test_files_beyond_a_limit_are_refused(files: dict[str, bytes]) -> None:
    assert list(limits.message({}, files))


@pytest.mark.parametrize(
    "problems",
    [
        limits.modal(FORM | {"title": "x" * 46}),
        limits.modal(FORM | {"components": [LABEL] * 6}),
        limits.modal(form(value="x" * 65, max_length=64)),
        limits.modal(form(style=3)),
        limits.modal(form(custom_id="")),
        limits.thread({"name": ""}),
        limits.thread({"name": "x" * 101}),
        limits.thread({"name": "x", "auto_archive_duration": 61}),
        limits.autocomplete({"choices": [{"name": str(n), "value": "x"} for n in range(26)]}),
        limits.autocomplete({"choices": [{"name": "", "value": "x"}]}),
        limits.autocomplete({"choices": [{"name": "x", "value": "x" * 101}]}),
        limits.commands([COMMAND, COMMAND]),
        limits.commands([COMMAND | {"name": "Bag"}]),
        limits.commands([COMMAND | {"name": "a bag"}]),
        limits.commands([COMMAND | {"description": ""}]),
        limits.commands([COMMAND | {"description": "x" * 101}]),
        limits.commands([COMMAND | {"options": [option(name=f"o{n}") for n in range(26)]}]),
        limits.commands([COMMAND | {"options": [option(), option()]}]),
        limits.commands([COMMAND | {"options": [option(name=f"o{n}", choices=LONG) for n in range(4)]}]),
        limits.commands([COMMAND | {"options": [option(), option(name="last", required=True)]}]),
        limits.commands([COMMAND | {"options": [option(), option(name="sub", type=1)]}]),
        limits.commands([COMMAND | {"options": [option(choices=[{"name": "x", "value": "y"}] * 26)]}]),
        limits.commands([COMMAND | {"name": f"bag{n}"} for n in range(101)]),
        limits.commands([{"type": 3, "name": "Delete", "description": "what it does"}]),
        limits.commands([{"type": 3, "name": f"Delete {n}"} for n in range(16)]),
    ],
)
def test_anything_else_beyond_a_limit_is_refused(problems: limits.Problems) -> None:
    assert list(problems)
