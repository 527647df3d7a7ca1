"""What a person sees of the simulated Discord, as JSON for the page."""

from __future__ import annotations

import io
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import simcord
from PIL import Image, UnidentifiedImageError
from simcord.backend.access import channel_accessible
from simcord.backend.cdn import CDN_BASE
from simcord.backend.models import Channel, Message, User

from bot.demo.chat.markdown import Markdown

Json = dict[str, Any]

NEWEST = 100
"""How many messages of a channel are shown, the newest ones."""

_THINKING = 1 << 7
_THREAD_CREATED = 18
_ROW, _BUTTON, _TEXT_INPUT, _USER_SELECT, _CHANNEL_SELECT, _LABEL = 1, 2, 4, 5, 8, 18
_LONG = 2
_STYLES = {1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link"}
_COMMANDS_KEPT = 2000
_SHAPES_KEPT = 2000
Shape = tuple[int, int, bool]


class View:
    """Reads the simulated Discord of `env`; changes nothing."""

    def __init__(self, env: simcord.Env, guild_id: int) -> None:
        self._backend = env.backend
        self._guild_id = guild_id
        self._markdown = Markdown(self._name)
        self._commands: OrderedDict[int, str] = OrderedDict()
        """The whole names of the slash commands that were used, by interaction."""
        self._shapes: OrderedDict[str, Shape | None] = OrderedDict()

    def note_command(self, interaction: int, name: str) -> None:
        """Remember the whole name of a slash command: SimCord knows only its first word."""
        self._commands[interaction] = name
        while len(self._commands) > _COMMANDS_KEPT:
            self._commands.popitem(last=False)

    def channels(self, viewer: int) -> list[Json]:
        """What `viewer` may read: channels, each followed by its threads, and the DMs with the bot."""
        found = [
            channel
            for channel in self._backend.channels.values()
            if channel_accessible(self._backend, channel.id, viewer)
        ]
        listed = []
        for top in found:
            if not top.is_thread:
                listed.append(top)
                listed += [thread for thread in found if thread.is_thread and thread.parent_id == top.id]
        return [self._channel(channel, viewer) for channel in listed]

    def _channel(self, channel: Channel, viewer: int) -> Json:
        last = next(self._newest_first(channel.id, viewer), None)
        private = channel.guild_id is None
        told = private and last is not None and last.author_id != viewer
        return {
            "id": str(channel.id),
            "name": self._backend.bot_user.name if private else channel.name,
            "private": private,
            "told": self._markdown(last.content) if told and last else None,
            "topic": channel.topic,
            "thread": channel.is_thread,
            "parent": str(channel.parent_id) if channel.parent_id else None,
            "last": str(last.id) if last else None,
            "count": channel.message_count,
        }

    def messages(self, channel: int, viewer: int, limit: int = NEWEST) -> list[Json]:
        """The newest `limit` messages of `channel` that `viewer` can see, oldest first."""
        newest: list[Json] = []
        if channel_accessible(self._backend, channel, viewer, history=True):
            for message in self._newest_first(channel, viewer):
                if len(newest) == limit:
                    break
                newest.append(self._message(message, viewer))
        return newest[::-1]

    def _newest_first(self, channel: int, viewer: int) -> Iterator[Message]:
        for message in reversed(self._backend.messages.get(channel, {}).values()):
            if message.visible_to(viewer) and not self._is_redundant(message):
                yield message

    def _is_redundant(self, message: Message) -> bool:
        """Whether this only reports a thread that its starting message shows already."""
        about = message.system_metadata
        return (
            message.type == _THREAD_CREATED and about is not None and about.referenced_message_id is not None
        )

    def _message(self, message: Message, viewer: int) -> Json:
        files = [self._attachment(file) for file in message.attachments]
        embeds = [self._embed(embed, files) for embed in message.embeds]
        return {
            "id": str(message.id),
            "author": self._author(message),
            "time": message.timestamp,
            "edited": message.edited_timestamp is not None and not message.interaction_metadata,
            "text": message.content,
            "html": self._markdown(message.content),
            "embeds": embeds,
            "attachments": [file for file in files if not file.pop("embedded")],
            "rows": list(self._rows(message.components)),
            "ephemeral": message.is_ephemeral,
            "thinking": bool(message.flags & _THINKING),
            "reply": self._reply(message),
            "used": self._used(message),
            "asked_by": self._asked_by(message),
            "thread": self._thread(message),
            "system": message.type == _THREAD_CREATED,
            "highlight": viewer in message.mention_user_ids and viewer != message.author_id,
        }

    def _author(self, message: Message) -> Json:
        user = self._backend.users[message.author_id]
        return {"id": str(user.id), "name": message.author_name or display_name(user), "bot": user.bot}

    def _attachment(self, file: Json) -> Json:
        address = _local(file["url"])
        width, height, moves = self._shape(file["url"]) or (None, None, False)
        return {
            "name": file["filename"],
            "url": address,
            "alt": file.get("description") or "",
            "type": file.get("content_type") or "",
            "size": file["size"],
            "width": width,
            "height": height,
            "moves": moves,
            "embedded": False,
        }

    def _shape(self, url: str) -> Shape | None:
        """A picture's width and height in pixels, for which the page reserves space, and whether it moves."""
        if url not in self._shapes:
            self._shapes[url] = _shape_of(self._backend.cdn.get(url) or b"")
            while len(self._shapes) > _SHAPES_KEPT:
                self._shapes.popitem(last=False)
        return self._shapes[url]

    def _embed(self, embed: Json, files: list[Json]) -> Json:
        pictures = {part: _picture(embed.get(part), files) for part in ("image", "thumbnail")}
        icon = _picture({"url": (embed.get("author") or {}).get("icon_url")}, files)
        return {
            "title": self._markdown(embed.get("title") or ""),
            "url": embed.get("url"),
            "html": self._markdown(embed.get("description") or ""),
            "color": f"#{embed['color']:06x}" if embed.get("color") is not None else None,
            "author": (embed.get("author") or {}).get("name"),
            "icon": icon,
            "fields": [
                {
                    "name": self._markdown(field["name"]),
                    "html": self._markdown(field["value"]),
                    "inline": bool(field.get("inline")),
                }
                for field in embed.get("fields") or []
            ],
            "footer": (embed.get("footer") or {}).get("text"),
            "time": embed.get("timestamp"),
            **pictures,
        }

    def _rows(self, components: list[Json]) -> Iterator[list[Json]]:
        for row in components:
            if row.get("type") == _ROW:
                yield [self._control(control) for control in row.get("components") or []]

    def _control(self, control: Json) -> Json:
        seen = {
            "custom_id": control.get("custom_id"),
            "disabled": bool(control.get("disabled")),
        }
        if control["type"] == _BUTTON:
            return seen | {
                "kind": "button",
                "label": control.get("label") or "",
                "emoji": _emoji(control),
                "style": _STYLES.get(control.get("style", 2), "secondary"),
                "url": control.get("url"),
            }
        if control["type"] == _USER_SELECT:
            members = self._backend.get_guild(self._guild_id).members
            people = [self._backend.users[member] for member in members]
            options: list[Json] = [{"value": str(user.id), "label": display_name(user)} for user in people]
        elif control["type"] == _CHANNEL_SELECT:
            chosen = {int(default["id"]) for default in control.get("default_values") or []}
            ids = self._backend.get_guild(self._guild_id).channel_ids
            channels = [self._backend.channels[number] for number in ids]
            options = [
                {"value": str(channel.id), "label": f"#{channel.name}", "default": channel.id in chosen}
                for channel in channels
                if channel.type in control.get("channel_types", [channel.type])
            ]
        else:
            options = [
                {
                    "value": option["value"],
                    "label": option["label"],
                    "description": option.get("description") or "",
                    "emoji": _emoji(option),
                    "default": bool(option.get("default")),
                }
                for option in control.get("options") or []
            ]
        return seen | {
            "kind": "select",
            "placeholder": control.get("placeholder") or "Choose",
            "options": options,
            "min": control.get("min_values", 1),
            "max": control.get("max_values", 1),
        }

    def form(self, modal: Json) -> Json | None:
        """A form (a modal) of text fields; None if it has others."""
        fields = []
        for wrapper in modal.get("components") or []:
            inner = (
                [wrapper["component"]] if wrapper.get("type") == _LABEL else wrapper.get("components") or []
            )
            for field in inner:
                if field.get("type") != _TEXT_INPUT:
                    return None
                fields.append(
                    {
                        "id": field["custom_id"],
                        "label": wrapper.get("label") or field.get("label") or "",
                        "about": wrapper.get("description") or "",
                        "value": field.get("value") or "",
                        "placeholder": field.get("placeholder") or "",
                        "least": field.get("min_length") or 0,
                        "most": field.get("max_length") or 4000,
                        "required": bool(field.get("required", True)),
                        "long": field.get("style") == _LONG,
                    }
                )
        return {"title": modal.get("title") or "", "fields": fields}

    def _reply(self, message: Message) -> Json | None:
        if message.type == _THREAD_CREATED or not message.reference or message.reference.get("type", 0) != 0:
            return None
        number = int(message.reference["message_id"])
        replied = self._backend.messages.get(message.channel_id, {}).get(number)
        if replied is None:
            return {"id": str(number), "name": "", "text": "The original message is gone"}
        author = self._author(replied)
        text = " ".join(replied.content.split()) or next(
            (embed["title"] for embed in replied.embeds if embed.get("title")), "a picture"
        )
        return {"id": str(number), "name": author["name"], "text": text[:90]}

    def _used(self, message: Message) -> Json | None:
        """Who used which slash command to get this answer."""
        about = message.interaction_metadata
        if not about or not about.get("name"):
            return None
        user = self._backend.users.get(int(about["user"]["id"]))
        command = self._commands.get(int(about["id"]), about["name"])
        return {"name": display_name(user) if user else "Somebody", "command": f"/{command}"}

    def _asked_by(self, message: Message) -> str | None:
        """Whose command or click this answers."""
        about = message.interaction_metadata
        return str(about["user"]["id"]) if about else None

    def _thread(self, message: Message) -> Json | None:
        number = message.id
        if message.type == _THREAD_CREATED and message.system_metadata is not None:
            number = message.system_metadata.channel_id or number
        thread = self._backend.channels.get(number)
        if thread is None or not thread.is_thread:
            return None
        return {"id": str(number), "name": thread.name, "count": thread.message_count}

    def _name(self, kind: str, number: int) -> str:
        if kind == "user":
            user = self._backend.users.get(number)
            return display_name(user) if user else "somebody"
        if kind == "role":
            role = self._backend.get_guild(self._guild_id).roles.get(number)
            return role.name if role else "a role"
        channel = self._backend.channels.get(number)
        return (channel.name if channel else None) or "a channel"


def display_name(user: User) -> str:
    """A person's name in the chat."""
    return user.global_name or user.name


def _local(url: str) -> str:
    """The page's own URL of a file on SimCord's CDN."""
    return url.removeprefix(CDN_BASE).replace("/attachments/", "/cdn/attachments/", 1)


def _picture(media: Json | None, files: list[Json]) -> Json | None:
    """An embed's picture; if it is one of the message's files, that file is not shown again."""
    url = (media or {}).get("url") or ""
    name = url.removeprefix("attachment://")
    for file in files:
        if file["name"] == name or file["url"] == _local(url):
            file["embedded"] = True
            return file | {"embedded": False}
    return {"url": _local(url), "alt": "", "name": ""} if url.startswith(CDN_BASE) else None


def _shape_of(data: bytes) -> Shape | None:
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return (*picture.size, bool(getattr(picture, "is_animated", False)))
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        return None  # not a picture, or a broken one: the page shows it as a file


def _emoji(control: Json) -> str:
    emoji = control.get("emoji") or {}
    name = emoji.get("name") or ""
    return f":{name}:" if emoji.get("id") else name
