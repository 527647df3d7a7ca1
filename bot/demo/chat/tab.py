"""One open chat page: what it is sent, and what it asks for."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import discord
import simcord
from aiohttp import web
from discord.ext import commands

from bot.demo.chat import slash
from bot.demo.chat.room import PEOPLE, RefusedError, Room

log = logging.getLogger(__name__)

Act = Callable[[str, Mapping[str, Any]], Awaitable[dict[str, Any]]]


class Tab:
    """One open page: a person looking at a channel. It is sent only what has changed."""

    def __init__(self, room: Room, act: Act, socket: web.WebSocketResponse, person: str) -> None:
        self.socket = socket
        self.changed = asyncio.Event()
        self._room = room
        self._act = act
        self._person = person
        self._channel = room.channel_id
        self._sent: dict[str, str] = {}
        self._shown: dict[str, str] = {}
        self.changed.set()

    async def hear(self, text: str) -> None:
        """Do what the page asks in `text` (JSON), and tell it when that is done or why it failed."""
        answer: dict[str, Any] = {"type": "done"}
        try:
            action = json.loads(text)
            if not isinstance(action, dict):
                raise RefusedError("The page sent no action.")
            answer["n"] = action.get("n")
            if action.get("do") == "open":
                self._open(str(action.get("channel")))
            else:
                answer |= await self._act(self._person, action)
        except RefusedError as error:
            answer["error"] = str(error)
        except ValueError:
            answer["error"] = "The page sent something unreadable."
        except Exception:
            log.exception("an action on the chat page failed")
            answer["error"] = "Something went wrong in the demo; see its log."
        with suppress(ConnectionError):  # the tab was closed, so nobody is left to tell
            await self.socket.send_json(answer)

    def _open(self, channel: str) -> None:
        if not (channel.isascii() and channel.isdecimal()):
            raise RefusedError("That channel is gone.")
        self._channel = int(channel)
        self._sent.pop("messages", None)
        self._shown.clear()
        self.changed.set()

    async def pump(self) -> None:
        """Send what has changed whenever something does, until the tab closes."""
        while not self.socket.closed:
            await self.changed.wait()
            self.changed.clear()
            try:
                await self._update()
            except ConnectionError:
                return  # the tab was closed
            except Exception:
                log.exception("the chat page could not be updated")

    async def _update(self) -> None:
        viewer = self._room.people[self._person].id
        await self._send("hello", hello(self._room, self._person))
        await asyncio.sleep(0)  # all open pages update at once: let the bot have its turn in between
        await self._send("channels", self._room.view.channels(viewer))
        await asyncio.sleep(0)
        await self._send_messages(viewer)
        await self._send("busy", [str(channel) for channel, count in self._room.busy.items() if count > 0])

    async def _send(self, kind: str, value: Any) -> None:
        text = json.dumps({"type": kind, "value": value})
        if self._sent.get(kind) != text:
            self._sent[kind] = text
            await self.socket.send_str(text)

    async def _send_messages(self, viewer: int) -> None:
        channel = self._channel
        messages = self._room.view.messages(channel, viewer)
        await asyncio.sleep(0)
        if channel != self._channel:
            return  # another one was opened meanwhile, and has requested the next update
        texts = {message["id"]: json.dumps(message) for message in messages}
        gone = [number for number in self._shown if number not in texts]
        new = [message for message in messages if self._shown.get(message["id"]) != texts[message["id"]]]
        fresh = "messages" not in self._sent
        self._shown = texts
        if new or gone or fresh:
            self._sent["messages"] = ""
            value = {"channel": str(channel), "fresh": fresh, "new": new, "gone": gone}
            await self.socket.send_str(json.dumps({"type": "messages", "value": value}))


def hello(room: Room, person: str) -> dict[str, Any]:
    """What a tab needs to know once: the people, the commands and the menu of apps under a message."""
    actor = room.people[person]
    return {
        "me": person,
        "id": str(actor.id),
        "server": room.env.guild.name,
        "bot": room.env.backend.bot_user.name,
        "home": str(room.channel_id),
        "people": [
            {"key": key, "id": str(room.people[key].id), "name": name} for key, name in PEOPLE.items()
        ],
        "menus": slash.menus(room.env, actor, room.channel_id),
        "commands": [*_prefixed(room.env.bot), *_slashed(room.env, actor, room.channel_id)],
    }


def _prefixed(bot: discord.Client) -> list[dict[str, str]]:
    """The commands that are typed as messages, for the composer's suggestions."""
    if not isinstance(bot, commands.Bot | commands.AutoShardedBot) or not isinstance(bot.command_prefix, str):
        return []
    shown = []
    for command in sorted(bot.walk_commands(), key=lambda command: command.qualified_name):
        if not command.hidden:
            name = f"{bot.command_prefix}{command.qualified_name}"
            shown.append({"name": name, "usage": command.signature, "about": command.short_doc})
    return shown


def _slashed(env: simcord.Env, actor: simcord.MemberActor, channel: int) -> list[dict[str, str]]:
    shown = []
    for name, leaf in slash.commands(env, actor, channel).items():
        names = [
            option["name"] if option.get("required") else f"[{option['name']}]"
            for option in leaf.get("options") or []
        ]
        shown.append({"name": f"/{name}", "usage": " ".join(names), "about": leaf.get("description") or ""})
    return shown
