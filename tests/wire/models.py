"""What there is on the wire, each with Discord's own object of it as `payload`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.bot.world import until
from tests.wire import limits

if TYPE_CHECKING:
    from tests.wire.discord_server import Wire
    from tests.wire.people import Person

TEXT, DM, THREAD = 0, 1, 11
"""Types of channels."""
COMMAND, COMPONENT, AUTOCOMPLETE, FORM = 2, 3, 4, 5
"""Types of interactions."""
MESSAGE, THINKING, DEFERRED, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
"""Types of an interaction's callback."""
EPHEMERAL, LOADING = 1 << 6, 1 << 7
"""Flags of messages."""
MEMBER = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 31
"""Permissions of everybody: to see, write, embed, attach, read the history and use commands."""
BOT = MEMBER | 1 << 13 | 1 << 34 | 1 << 35 | 1 << 38
"""Those of the bot beside: to manage messages and threads, begin threads and write in them."""
ADMIN = BOT | 1 << 3 | 1 << 5
"""Those of an administrator, who manages the server."""
DEADLINE = 3.0
"""Seconds within which an interaction must be acknowledged."""
EPOCH_MS = 1420070400000
"""Of Discord's ids: the first second of 2015."""


def now() -> str:
    """The time as Discord writes it."""
    return datetime.now(UTC).isoformat()


@dataclass(eq=False)
class Guild:
    """A server, with people in it."""

    wire: Wire
    id: int
    name: str
    owner: Person
    members: dict[int, int] = field(default_factory=dict)
    """Permissions by the person's id."""
    nicks: dict[int, str] = field(default_factory=dict)

    def join(self, person: Person, permissions: int = MEMBER) -> Person:
        """Somebody joins."""
        self.members[person.id] = permissions
        return person

    def channel(self, name: str) -> Channel:
        """A new text channel; the bot is told if it is there already."""
        channel = self.wire.add_channel(name, self, TEXT)
        self.wire.gateway.dispatch("CHANNEL_CREATE", channel.payload, self.id)
        return channel

    def member(self, person: Person) -> dict[str, Any]:
        """Discord's member object, with its user."""
        return {
            "user": person.payload,
            "nick": self.nicks.get(person.id),
            "roles": [str(self.id + 1)] if person.bot else [],
            "joined_at": now(),
            "deaf": False,
            "mute": False,
            "flags": 0,
            "avatar": None,
        }

    @property
    def payload(self) -> dict[str, Any]:
        """Discord's guild object as GUILD_CREATE has it; without the members intent only the bot is in it."""
        channels = [one for one in self.wire.channels.values() if one.guild is self]
        return {
            "id": str(self.id),
            "name": self.name,
            "owner_id": str(self.owner.id),
            "member_count": len(self.members),
            "large": False,
            "joined_at": now(),
            "features": [],
            "roles": [_role(self.id, "@everyone", MEMBER, 0), _role(self.id + 1, "Bag Dreams", BOT, 1)],
            "members": [self.member(self.wire.me)],
            "channels": [one.payload for one in channels if one.type != THREAD],
            "threads": [one.payload for one in channels if one.type == THREAD and not one.archived],
            "emojis": [],
            "stickers": [],
            "voice_states": [],
            "presences": [],
            "system_channel_id": None,
            "premium_tier": 0,
            "verification_level": 0,
            "preferred_locale": "en-US",
            "nsfw_level": 0,
        }


def _role(role_id: int, name: str, permissions: int, position: int) -> dict[str, Any]:
    return {
        "id": str(role_id),
        "name": name,
        "permissions": str(permissions),
        "position": position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": position > 0,
        "mentionable": False,
        "flags": 0,
    }


@dataclass(eq=False)
class Channel:
    """A text channel, a thread, or somebody's direct messages."""

    wire: Wire
    id: int
    name: str
    guild: Guild | None
    type: int = TEXT
    recipient: Person | None = None
    parent: Channel | None = None
    archived: bool = False
    auto_archive_duration: int = 1440
    messages: dict[int, Message] = field(default_factory=dict)

    @property
    def last(self) -> Message:
        """The newest message."""
        return next(reversed(self.messages.values()))

    @property
    def threads(self) -> list[Channel]:
        """The threads in it."""
        return [channel for channel in self.wire.channels.values() if channel.parent is self]

    @property
    def guild_id(self) -> int | None:
        """The server's id; None for direct messages."""
        return self.guild.id if self.guild else None

    @property
    def payload(self) -> dict[str, Any]:
        """Discord's channel object."""
        payload: dict[str, Any] = {"id": str(self.id), "type": self.type, "flags": 0}
        if self.messages:
            payload["last_message_id"] = str(self.last.id)
        if self.recipient is not None:
            return payload | {"recipients": [self.recipient.payload]}
        payload |= {"guild_id": str(self.guild_id), "name": self.name, "rate_limit_per_user": 0}
        if self.parent is None:
            return payload | {"position": 0, "permission_overwrites": [], "parent_id": None, "topic": None}
        metadata = {
            "archived": self.archived,
            "auto_archive_duration": self.auto_archive_duration,
            "archive_timestamp": now(),
            "locked": False,
        }
        return payload | {
            "parent_id": str(self.parent.id),
            "owner_id": str(self.wire.me.id),
            "message_count": len(self.messages),
            "member_count": 1,
            "thread_metadata": metadata,
        }


@dataclass(eq=False)
class Message:
    """A message, in Discord's own shape: `payload` is its message object."""

    wire: Wire
    channel: Channel
    author: Person
    payload: dict[str, Any]
    versions: list[str] = field(default_factory=list)
    """What it said before each change."""

    @property
    def id(self) -> int:
        """Discord's id."""
        return int(self.payload["id"])

    @property
    def by_bot(self) -> bool:
        """Whether the bot wrote it."""
        return self.author.bot

    @property
    def is_notice(self) -> bool:
        """Whether it only says that one has to wait, and will go away."""
        return self.content.startswith("⏳")

    @property
    def content(self) -> str:
        """What it says, without its embeds."""
        return str(self.payload["content"])

    @property
    def text(self) -> str:
        """Everything to read in it: content, embeds, alt texts and labels."""
        return "\n".join(
            _texts([self.payload[key] for key in ("content", "embeds", "attachments", "components")])
        )

    @property
    def embeds(self) -> list[dict[str, Any]]:
        """Discord's embed objects."""
        return list(self.payload["embeds"])

    @property
    def files(self) -> list[dict[str, Any]]:
        """Discord's attachment objects; their bytes are in `wire.files` by their id."""
        return list(self.payload["attachments"])

    @property
    def controls(self) -> list[dict[str, Any]]:
        """Its buttons and lists."""
        return [one for row in self.payload["components"] for one in row["components"]]

    @property
    def code(self) -> str:
        """The design in it: the last word of its first title."""
        return str(self.embeds[0]["title"]).split()[-1]

    def control(self, custom_id: str) -> dict[str, Any]:
        """The button or list with a custom id, or with one that begins so. It can be used."""
        found = [one for one in self.controls if one.get("custom_id", "").startswith(custom_id)]
        exact = [one for one in found if one["custom_id"] == custom_id]
        assert found, f"no {custom_id} among {[one.get('custom_id') for one in self.controls]}"
        control = (exact or found)[0]
        assert not control.get("disabled"), f"{custom_id} is disabled"
        return control

    @property
    def answers(self) -> list[Message]:
        """What the bot has replied to it, but for notices of one's place in line."""
        wanted = str(self.id)
        replies = [one for one in self.channel.messages.values() if one.by_bot and not one.is_notice]
        return [
            one for one in replies if one.payload.get("message_reference", {}).get("message_id") == wanted
        ]

    async def answer(self) -> Message:
        """Wait for the bot's first reply."""
        await until(lambda: self.answers)
        return self.answers[0]

    async def picture(self) -> Message:
        """Wait for the bot's first reply with a file."""
        return await _picture(self)


async def _picture(asked: Message | Interaction) -> Message:
    def pictures() -> list[Message]:
        return [one for one in asked.answers if one.files]

    await until(pictures)
    return pictures()[0]


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                if key in (
                    "content",
                    "title",
                    "description",
                    "name",
                    "value",
                    "text",
                    "label",
                    "placeholder",
                ) or isinstance(inner, list | dict):
                    yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)


@dataclass(eq=False)
class Interaction:
    """A command, click, form or suggestion, and how the bot has answered it."""

    wire: Wire
    id: int
    person: Person
    type: int
    channel: Channel
    data: dict[str, Any]
    message: Message | None = None
    """On which the button is."""
    token: str = ""
    began: float = field(default_factory=time.monotonic)
    callback: int | None = None
    """The type of the callback that Discord took, once there is one."""
    callback_seconds: float = 0.0
    """How long that took."""
    _taken: asyncio.Event = field(default_factory=asyncio.Event)
    refused: list[int] = field(default_factory=list)
    """Discord's codes for callbacks that were not taken: 10062 too late, 40060 the second one."""
    original: Message | None = None
    """The message that the callback made or changed; "thinking…" at first, if it was deferred."""
    followups: list[Message] = field(default_factory=list)
    modal: dict[str, Any] | None = None
    choices: list[dict[str, Any]] | None = None

    @property
    def acknowledged(self) -> bool:
        """Whether Discord has shown that it was taken."""
        return self.callback is not None

    @property
    def thinking(self) -> bool:
        """Whether its person still sees "thinking…"."""
        return self.original is not None and bool(self.original.payload["flags"] & LOADING)

    @property
    def failed(self) -> bool:
        """Whether its person sees "This interaction failed"."""
        return not self.acknowledged and time.monotonic() - self.began > DEADLINE

    @property
    def answers(self) -> list[Message]:
        """The messages that came of it, oldest first, without notices and those that are gone."""
        own = (
            [] if self.original is None or self.original is self.message or self.thinking else [self.original]
        )
        there = (one for one in [*own, *self.followups] if one.id in self.wire.messages)
        return [one for one in there if not one.is_notice]

    async def acknowledgement(self) -> Interaction:
        """Wait until it is acknowledged or has failed."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._taken.wait(), max(self.began + DEADLINE - time.monotonic(), 0))
        return self

    def take(self, kind: int) -> None:
        """Note the callback that Discord has taken."""
        self.callback, self.callback_seconds = kind, time.monotonic() - self.began
        self._taken.set()

    async def answer(self) -> Message:
        """Wait for the first message that comes of it, public or ephemeral."""
        await until(lambda: self.answers)
        return self.answers[0]

    async def picture(self) -> Message:
        """Wait for the first one with a file."""
        return await _picture(self)

    @property
    def payload(self) -> dict[str, Any]:
        """Discord's interaction object."""
        guild = self.channel.guild
        payload: dict[str, Any] = {
            "id": str(self.id),
            "application_id": str(self.wire.me.id),
            "type": self.type,
            "token": self.token,
            "version": 1,
            "data": self.data,
            "channel_id": str(self.channel.id),
            "channel": self.channel.payload,
            "locale": "en-US",
            "app_permissions": str(BOT),
            "entitlements": [],
            "authorizing_integration_owners": {"0": str(guild.id if guild else 0)},
            "context": 0 if guild else 1,
            "attachment_size_limit": limits.FILE_SIZE,
        }
        if self.message is not None:
            payload["message"] = self.message.payload
        if guild is None:
            return payload | {"user": self.person.payload}
        member = guild.member(self.person) | {"permissions": str(guild.members[self.person.id])}
        return payload | {
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
            "guild_locale": "en-US",
            "member": member,
        }

    @property
    def metadata(self) -> dict[str, Any]:
        """What messages that come of it tell about it."""
        return {
            "id": str(self.id),
            "type": self.type,
            "user": self.person.payload,
            "authorizing_integration_owners": {},
        }
