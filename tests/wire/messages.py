"""Channels, threads and messages, as the bot asks for them."""

from __future__ import annotations

import mimetypes
from typing import TYPE_CHECKING, Any

from tests.wire import limits
from tests.wire.faults import RefusedError
from tests.wire.models import TEXT, THREAD, Channel, Message, now
from tests.wire.requests import Request, Work

if TYPE_CHECKING:
    from tests.wire.discord_server import Wire

FILES_KEPT = 500
"""The newest uploads whose bytes stay readable."""
HAS_THREAD = 1 << 5
"""A message's flag."""


class Messages:
    """The routes under /channels, and what interactions do with messages too."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._nonces: dict[tuple[int, str], Message] = {}

    def routes(self) -> dict[str, Work]:
        """What each route does."""
        message = "/channels/{channel}/messages/{message}"
        return {
            "POST /users/@me/channels": self._open_dm,
            "GET /channels/{channel}": lambda request: self._channel(request).payload,
            "PATCH /channels/{channel}": self._edit_thread,
            "POST /channels/{channel}/typing": lambda request: None,
            "GET /channels/{channel}/messages": self._history,
            "POST /channels/{channel}/messages": self._send,
            f"GET {message}": lambda request: self._message(request).payload,
            f"PATCH {message}": self._edit,
            f"DELETE {message}": lambda request: self.remove(self._message(request)),
            f"POST {message}/threads": self._begin_thread,
        }

    def _channel(self, request: Request) -> Channel:
        if request.id("channel") not in self._wire.channels:
            raise RefusedError(404, 10003, "Unknown Channel")
        return self._wire.channels[request.id("channel")]

    def _open_dm(self, request: Request) -> dict[str, Any]:
        person = self._wire.people.get(int(request.payload["recipient_id"]))
        if person is None:
            raise RefusedError(400, 50033, "Invalid Recipient(s)")
        return person.dm_channel.payload

    def _begin_thread(self, request: Request) -> dict[str, Any]:
        message = self._message(request)
        self._wire.check("a new thread", limits.thread(request.payload))
        if message.id in self._wire.channels:
            raise RefusedError(400, 160004, "A thread has already been created for this message")
        if message.channel.type != TEXT:
            raise RefusedError(400, 50024, "Cannot execute action on this channel type")
        thread = Channel(self._wire, message.id, request.payload["name"], message.channel.guild, THREAD)
        thread.parent = message.channel
        thread.auto_archive_duration = request.payload.get("auto_archive_duration") or 1440
        self._wire.channels[thread.id] = thread
        message.payload["flags"] |= HAS_THREAD
        self._wire.gateway.dispatch(
            "THREAD_CREATE", thread.payload | {"newly_created": True}, thread.guild_id
        )
        return thread.payload

    def _edit_thread(self, request: Request) -> dict[str, Any]:
        channel = self._channel(request)
        if channel.type != THREAD:
            raise RefusedError(403, 50013, "Missing Permissions")
        self._wire.check("a thread's change", limits.thread(request.payload, edit=True))
        channel.name = request.payload.get("name", channel.name)
        channel.archived = request.payload.get("archived", channel.archived)
        self._wire.gateway.dispatch("THREAD_UPDATE", channel.payload, channel.guild_id)
        return channel.payload

    def _message(self, request: Request) -> Message:
        message = self._channel(request).messages.get(request.id("message"))
        if message is None:
            raise RefusedError(404, 10008, "Unknown Message")
        return message

    def _history(self, request: Request) -> list[dict[str, Any]]:
        query, most = request.query, int(request.query.get("limit", 50))
        self._wire.check("a channel's history", [] if 1 <= most <= 100 else [f"limit {most}"])
        messages = list(self._channel(request).messages.values())
        if "after" in query:
            later = [one for one in messages if one.id > int(query["after"])][:most]
            return [one.payload for one in reversed(later)]
        before = int(query.get("before", 1 << 63))
        return [one.payload for one in reversed(messages) if one.id < before][:most]

    def _send(self, request: Request) -> dict[str, Any]:
        channel, payload = self._channel(request), request.payload
        if channel.recipient is not None and not channel.recipient.dms_open:
            raise RefusedError(403, 50007, "Cannot send messages to this user")
        self._wire.check("a message", limits.message(payload, request.files))
        nonce = (channel.id, str(payload.get("nonce")))
        if payload.get("enforce_nonce") and nonce in self._nonces:
            return self._nonces[nonce].payload
        reference = payload.get("message_reference")
        if reference is not None and int(reference["message_id"]) not in channel.messages:
            if reference.get("fail_if_not_exists", True):
                raise RefusedError(400, 50035, "message_reference: Unknown message")
            reference = None
        message = self._post(channel, request, reference=reference)
        if payload.get("nonce") is not None:
            message.payload["nonce"] = payload["nonce"]
            self._nonces[nonce] = message
        return message.payload

    def _post(self, channel: Channel, request: Request, **more: Any) -> Message:
        """A message of the bot, as it asks for it."""
        if channel.archived:  # a message opens a thread again
            channel.archived = False
            self._wire.gateway.dispatch("THREAD_UPDATE", channel.payload, channel.guild_id)
        message = self._wire.add_message(channel, self._wire.me, **more)
        self.fill(message, request)
        self._wire.tell("MESSAGE_CREATE", message)
        return message

    def _edit(self, request: Request) -> dict[str, Any]:
        message = self._message(request)
        if message.author is not self._wire.me:
            raise RefusedError(403, 50005, "Cannot edit a message authored by another user")
        return self.change(message, request)

    def change(self, message: Message, request: Request) -> dict[str, Any]:
        """Change a message."""
        kept = [file["filename"] for file in self._kept(message, request)]
        self._wire.check(
            "a message's change", limits.message(request.payload, request.files, kept, edit=True)
        )
        message.versions.append(message.content)
        self.fill(message, request)
        if limits.is_empty(message.payload, {}):
            self._wire.check("a message's change", ["an empty message (50006)"])
        message.payload["edited_timestamp"] = now()
        self._wire.tell("MESSAGE_UPDATE", message)
        return message.payload

    def fill(self, message: Message, request: Request) -> None:
        """Write into a message what is given."""
        payload, given = message.payload, request.payload
        message.payload = payload | {
            key: given[key] or "" if key == "content" else given[key] or []
            for key in ("content", "embeds", "components")
            if key in given
        }
        described = {str(one["id"]): one for one in given.get("attachments") or ()}
        attachments = self._kept(message, request)
        for number, (name, data) in enumerate(request.files.items()):
            file_id = str(self._wire.new_id())
            url = f"{self._wire.url}/attachments/{message.channel.id}/{file_id}/{name}"
            told = {
                key: value for key, value in described.get(str(number), {}).items() if key == "description"
            }
            about = {"size": len(data), "content_type": mimetypes.guess_type(name)[0]}
            attachments.append(told | about | {"id": file_id, "filename": name, "url": url, "proxy_url": url})
            self._wire.files[file_id] = data
        while len(self._wire.files) > FILES_KEPT:
            del self._wire.files[next(iter(self._wire.files))]
        urls = {f"attachment://{file['filename']}": file["url"] for file in attachments}
        message.payload["attachments"] = attachments
        message.payload["embeds"] = [
            embed
            | {
                part: {"url": urls.get(embed[part]["url"], embed[part]["url"])}
                for part in ("image", "thumbnail")
                if part in embed
            }
            for embed in message.payload["embeds"]
        ]

    def _kept(self, message: Message, request: Request) -> list[dict[str, Any]]:
        """Of the files of a message, those that stay: all, unless a list of them is given."""
        if "attachments" not in request.payload:
            return list(message.files)
        named = {str(one["id"]) for one in request.payload["attachments"] or ()}
        return [file for file in message.files if file["id"] in named]

    def remove(self, message: Message) -> None:
        """Delete a message."""
        channel = message.channel
        del self._wire.messages[message.id]
        if channel.messages.pop(message.id, None) is not None:
            data = {"id": str(message.id), "channel_id": str(channel.id)}
            guild = {} if channel.guild is None else {"guild_id": str(channel.guild.id)}
            self._wire.gateway.dispatch("MESSAGE_DELETE", data | guild, channel.guild_id)
        for person in self._wire.people.values():
            if message in person.whispers:
                person.whispers.remove(message)
