"""People, who act as people do.

All acts are plain calls that return at once: many people can act in one instant. What comes of an act is
waited for: `await message.answer()`, `await interaction.answer()`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.wire import limits
from tests.wire.models import (
    AUTOCOMPLETE,
    COMMAND,
    COMPONENT,
    DM,
    FORM,
    LOADING,
    MEMBER,
    Channel,
    Interaction,
    Message,
)

if TYPE_CHECKING:
    from tests.wire.discord_server import Wire


@dataclass(eq=False)
class Person:
    """A user, with what they do and what they alone see."""

    wire: Wire
    id: int
    name: str
    bot: bool = False
    dms_open: bool = True
    whispers: list[Message] = field(default_factory=list)
    """Ephemeral messages, which only they see."""

    @property
    def payload(self) -> dict[str, Any]:
        """Discord's user object."""
        return {
            "id": str(self.id),
            "username": self.name.lower(),
            "global_name": self.name,
            "discriminator": "0000" if self.bot else "0",
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
        }

    @property
    def dm_channel(self) -> Channel:
        """Their direct messages with the bot."""
        for channel in self.wire.channels.values():
            if channel.recipient is self:
                return channel
        return self.wire.add_channel("", None, DM, recipient=self)

    @property
    def told(self) -> list[str]:
        """Everything that the bot said to them alone, by DM or in an ephemeral message, oldest first."""
        told = [*self.dm_channel.messages.values(), *self.whispers]
        shown = [one for one in told if one.by_bot and not one.payload["flags"] & LOADING]
        return [one.content for one in sorted(shown, key=lambda one: one.id)]

    def send(self, channel: Channel, content: str, reply_to: Message | None = None) -> Message:
        """Write a message."""
        reference = None if reply_to is None else {"message_id": str(reply_to.id)}
        mentions = [one.payload for one in self.wire.people.values() if f"<@{one.id}>" in content]
        message = self.wire.add_message(
            channel, self, content=content, mentions=mentions, reference=reference
        )
        self.wire.tell("MESSAGE_CREATE", message)
        return message

    def dm(self, content: str) -> Message:
        """Write to the bot in private."""
        return self.send(self.dm_channel, content)

    def slash(self, channel: Channel, command: str, **options: object) -> Interaction:
        """Use a slash command, "bag dream", with options by name; Discord's own checks are made."""
        data, leaf = self._command(command)
        known = {option["name"]: option for option in leaf.get("options") or ()}
        for name, option in known.items():
            assert not option.get("required") or name in options, f"/{command} needs {name}"
        resolved: dict[str, dict[str, Any]] = {}
        leaf_data = _innermost(data)
        leaf_data["options"] = [self._option(known[name], value, resolved) for name, value in options.items()]
        return self._interact(COMMAND, channel, data | {"resolved": resolved})

    def type(self, channel: Channel, command: str, **options: object) -> Interaction:
        """Type into a slash command without sending it; the last option is being typed, for suggestions."""
        data, leaf = self._command(command)
        known = {option["name"]: option for option in leaf.get("options") or ()}
        typed = [
            {"name": name, "type": known[name]["type"], "value": value} for name, value in options.items()
        ]
        assert known[typed[-1]["name"]].get("autocomplete"), f"{typed[-1]['name']} has no suggestions"
        typed[-1]["focused"] = True
        _innermost(data)["options"] = typed
        return self._interact(AUTOCOMPLETE, channel, data)

    def menu(self, message: Message, entry: str) -> Interaction:
        """Choose an entry of a message's menu."""
        command = next(one for one in self.wire.commands if one["name"] == entry and one.get("type") == 3)
        data = {"id": command["id"], "name": entry, "type": 3, "target_id": str(message.id)}
        data["resolved"] = {"messages": {str(message.id): message.payload}}
        return self._interact(COMMAND, message.channel, data)

    def click(self, message: Message, custom_id: str) -> Interaction:
        """Press a button, named by its custom id or the beginning of it."""
        button = message.control(custom_id)
        assert button["type"] == limits.BUTTON, button
        data = {"custom_id": button["custom_id"], "component_type": limits.BUTTON}
        return self._interact(COMPONENT, message.channel, data, message)

    def choose(self, message: Message, custom_id: str, *values: str) -> Interaction:
        """Choose from a list, named by its custom id or the beginning of it; a channel by its id."""
        select = message.control(custom_id)
        assert select.get("min_values", 1) <= len(values) <= select.get("max_values", 1), select
        data = {"custom_id": select["custom_id"], "component_type": select["type"], "values": list(values)}
        if select["type"] == limits.STRING_SELECT:
            assert set(values) <= {option["value"] for option in select["options"]}, select
        else:
            chosen = {value: self.wire.channels[int(value)].payload for value in values}
            data["resolved"] = {
                "channels": {channel: one | {"permissions": str(MEMBER)} for channel, one in chosen.items()}
            }
        return self._interact(COMPONENT, message.channel, data, message)

    def submit(self, opened: Interaction, **values: str) -> Interaction:
        """Send the form that an interaction opened; what is not given stays as it was."""
        form = opened.modal
        assert form is not None, "no form was opened"
        assert set(values) <= {one["custom_id"] for one in limits.form_fields(form)}, values

        def filled(one: dict[str, Any]) -> dict[str, Any]:
            value = values.get(one["custom_id"], one.get("value") or "")
            assert len(value) <= one.get("max_length", 4000), one
            return {"type": one["type"], "custom_id": one["custom_id"], "value": value, "id": 2}

        parts = [
            {"type": part["type"], "id": 1, "component": filled(part["component"])}
            if part["type"] == limits.LABEL
            else {"type": part["type"], "id": 1, "components": [filled(one) for one in part["components"]]}
            for part in form["components"]
        ]
        data = {"custom_id": form["custom_id"], "components": parts}
        return self._interact(FORM, opened.channel, data, opened.message)

    def _interact(
        self, kind: int, channel: Channel, data: dict[str, Any], message: Message | None = None
    ) -> Interaction:
        return self.wire.interact(
            Interaction(self.wire, self.wire.new_id(), self, kind, channel, data, message)
        )

    def _command(self, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """The data that names a subcommand, and the command's own description of it."""
        name, *below = path.split()
        node = next((one for one in self.wire.commands if one["name"] == name), None)
        assert node is not None, f"/{name} is not among the synced commands"
        data: dict[str, Any] = {"id": node["id"], "name": name, "type": 1}
        inner = data
        for name in below:
            node = next((one for one in node.get("options", ()) if one["name"] == name), None)
            assert node is not None, f"/{path} is not among the synced commands"
            inner["options"] = [{"name": name, "type": node["type"]}]
            inner = inner["options"][0]
        return data, node

    def _option(
        self, option: dict[str, Any], value: Any, resolved: dict[str, dict[str, Any]]
    ) -> dict[str, Any]:
        choices = [choice["value"] for choice in option.get("choices") or ()]
        assert not choices or value in choices, f"{option['name']} is one of {choices}"
        if isinstance(value, Person):
            resolved.setdefault("users", {})[str(value.id)] = value.payload
            value = str(value.id)
        elif isinstance(value, bytes):  # a picture that is attached
            number = str(self.wire.new_id())
            url = f"{self.wire.url}/attachments/0/{number}/bag.png"
            self.wire.files[number] = value
            file = {"id": number, "filename": "bag.png", "size": len(value), "content_type": "image/png"}
            resolved.setdefault("attachments", {})[number] = file | {"url": url, "proxy_url": url}
            value = number
        elif isinstance(value, int):
            assert option.get("min_value", value) <= value <= option.get("max_value", value), option
        return {"name": option["name"], "type": option["type"], "value": value}


def _innermost(data: dict[str, Any]) -> dict[str, Any]:
    while data.get("options"):
        data = data["options"][0]
    return data
