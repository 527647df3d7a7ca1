"""The simulated Discord behind the chat page: one server, its people and what they can do there.

SimCord runs the unmodified bot, but its actors work one at a time, its clock stands still and its logs grow.
`Room` queues the actions, keeps the clock on time and bounds the memory.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import discord
import simcord
from simcord.backend.access import channel_accessible
from simcord.backend.cdn import CDN_BASE
from simcord.backend.models import Interaction, Message

from bot.demo.chat import slash
from bot.demo.chat.view import View

log = logging.getLogger(__name__)

PEOPLE = {"ada": "Ada", "ben": "Ben", "chloe": "Chloé"}
"""The people's keys and names; the first one owns the server."""

Json = dict[str, Any]

_LONGEST = 2000
_KEPT_FORMS = 50
_KEPT_MESSAGES = 1000
_KEPT_INTERACTIONS = 500
_KEPT_ERRORS = 100
_RESTART_SECONDS = 30.0
_ANSWER_SECONDS = 15.0
_LOOK_SECONDS = 0.05
_USER_SELECT, _CHANNEL_SELECT = 5, 8
_BOUNDS = re.compile(r"expects between (\d+) and (\d+) value")
_TOO_LONG = re.compile(r"exceeds max_length=(\d+)")
_UNANSWERED = "This interaction failed: the bot did not answer."


class RefusedError(Exception):
    """An action that a person can't do; the message tells them why."""


GUEST = "dora"
"""A member who acts by herself: nobody can choose to be her."""


class Room:
    """`bot` in the server "Bag Lovers" with text channels, three people and a guest.

    SimCord's clock starts at the same time in every process, so its server, channels and people, which are
    made before the clock is set, always have the same ids: what they did is theirs after a restart.
    """

    def __init__(
        self, bot: discord.Client, *, channels: Mapping[str, str], name: str, settle_timeout: float
    ) -> None:
        self.env = simcord.Env(
            bot, shard_count=1, strict_sync=False, check_errors=False, settle_timeout=settle_timeout
        )
        self.gate = asyncio.Lock()
        """Held during each action: SimCord refuses two at a time."""
        self.busy: Counter[int] = Counter()
        """How many actions are waiting or running, by channel id."""
        self.env.backend.bot_user.name = name
        everybody = PEOPLE | {GUEST: GUEST.title()}
        users = {key: self.env.create_user(key, global_name=shown) for key, shown in everybody.items()}
        owner = next(iter(users.values()))
        guild = self.env.create_guild("Bag Lovers", owner=owner)
        self.guild_id = guild.id
        ids = [guild.create_text_channel(name, topic=topic).id for name, topic in channels.items()]
        self.channel_id = ids[0]
        self._actors = {
            key: simcord.MemberActor(self.env, guild, user) if user is owner else guild.add_member(user)
            for key, user in users.items()
        }
        self.people: Mapping[str, simcord.MemberActor] = {key: self._actors[key] for key in PEOPLE}
        self.guest = self._actors[GUEST]
        self._catch_up()
        self.view = View(self.env, guild.id)
        self._forms: dict[str, Interaction] = {}
        """Forms that the bot has shown, by the id of the interaction that led to each."""

    async def start(self) -> None:
        await self.env.start()

    async def restart(self, bot: discord.Client) -> None:
        """Replace the bot and keep its world. Raises TimeoutError if the old bot's work does not end."""
        async with self.gate:
            with self._patience(_RESTART_SECONDS):
                await self.env.restart_bot(bot)

    async def stop(self) -> None:
        """End the bot's work, without calling its `close`."""
        async with self.gate:
            with self._patience(_RESTART_SECONDS):
                await self.env.shutdown()

    async def act(self, person: str, action: Mapping[str, Any]) -> Json:
        """Perform `action` as `person`, after all earlier actions.

        `do` is send (channel, text, optionally reply), click (channel, message, custom_id), select (the same
        and values), menu (channel, message, name), submit (channel, form, values), dismiss (channel, message)
        or complete (channel, text). Gives what the page shows at once: a form, or completions.
        Raises RefusedError.
        """
        actor = self._actors.get(person)
        deed = self._deeds.get(_text(action, "do"))
        if actor is None or deed is None:
            raise RefusedError("Nobody here can do that.")
        channel = _number(action, "channel")
        if deed is Room._complete:
            async with self.gate:
                self._catch_up()
                return await self._complete(actor, self._place(actor, channel), action)
        self.busy[channel] += 1
        try:
            async with self.gate:
                self._catch_up()
                before = self._latest()
                settled = await self._tolerant(deed(self, actor, self._place(actor, channel), action))
                interaction = self._latest()
            if interaction is None or interaction is before:
                return {}
            if not await _answered(interaction, 0 if settled else _ANSWER_SECONDS):
                raise RefusedError(_UNANSWERED)
            return self._shown(interaction)
        finally:
            self.busy[channel] -= 1

    def _shown(self, interaction: Interaction) -> Json:
        """The form with which the bot answered, if it did."""
        if interaction.modal is None:
            return {}
        form = self.view.form(interaction.modal)
        if form is None:
            raise RefusedError("Discord would show a form here. On this page, type it as a command.")
        self._forms[str(interaction.id)] = interaction
        while len(self._forms) > _KEPT_FORMS:
            del self._forms[next(iter(self._forms))]
        return {"form": {"id": str(interaction.id), **form}}

    def _latest(self) -> Interaction | None:
        return next(reversed(self.env.backend.interactions.values()), None)

    @contextmanager
    def _patience(self, seconds: float) -> Iterator[None]:
        usual, self.env.settle_timeout = self.env.settle_timeout, seconds
        try:
            yield
        finally:
            self.env.settle_timeout = usual

    async def _tolerant(self, doing: Awaitable[object]) -> bool:
        """Await an actor; False if the bot was still working when the time to settle was over."""
        try:
            await doing
        except TimeoutError as error:
            log.debug("the bot is still at work: %s", error)
            return False
        except simcord.BackendError as error:
            raise RefusedError(_backend_words(error)) from error
        except simcord.SetupError as error:
            raise RefusedError(_setup_words(error)) from error
        return True

    async def _send(
        self, actor: simcord.MemberActor, place: simcord.ChannelHandle, action: Mapping[str, Any]
    ) -> None:
        text = _text(action, "text").strip()
        if not 0 < len(text) <= _LONGEST:
            raise RefusedError(f"A message can have 1 to {_LONGEST} characters; this one has {len(text)}.")
        known = slash.commands(self.env, actor, place.id)
        if command := slash.find(text, known):
            options = slash.options(text, command, known[command], self.people)
            try:
                if place.guild is None:
                    await actor.user.slash(command, **options)
                else:
                    await actor.slash(place, command, **options)
            finally:
                if interaction := self._latest():
                    self.view.note_command(interaction.id, command)
        elif place.guild is None:
            await actor.user.send_dm(text)
        else:
            replied = self._message(place, action, "reply") if action.get("reply") else None
            await actor.send(
                place, text, reply_to=simcord.ResponseMessage(self.env, replied) if replied else None
            )

    async def _click(
        self, actor: simcord.MemberActor, place: simcord.ChannelHandle, action: Mapping[str, Any]
    ) -> None:
        who = actor if place.guild else actor.user
        message = simcord.ResponseMessage(self.env, self._message(place, action))
        await who.click(message, custom_id=_text(action, "custom_id"))

    async def _select(
        self, actor: simcord.MemberActor, place: simcord.ChannelHandle, action: Mapping[str, Any]
    ) -> None:
        who = actor if place.guild else actor.user
        message = self._message(place, action)
        custom_id = _text(action, "custom_id")
        values: list[Any] = [str(value) for value in action.get("values") or []]
        kind = _kind(message, custom_id)
        if kind == _USER_SELECT:
            values = [actor for actor in self.people.values() if str(actor.id) in values]
        elif kind == _CHANNEL_SELECT:
            channels = self.env.guild.channels.values()
            values = [channel for channel in channels if str(channel.id) in values]
        await who.select(simcord.ResponseMessage(self.env, message), values, custom_id=custom_id)

    async def _menu(
        self, actor: simcord.MemberActor, place: simcord.ChannelHandle, action: Mapping[str, Any]
    ) -> None:
        if place.guild is None:
            raise RefusedError("On this page, apps are used in the server's channels.")
        message = simcord.ResponseMessage(self.env, self._message(place, action))
        await actor.context_menu(place, _text(action, "name"), message)

    async def _submit(
        self, actor: simcord.MemberActor, place: simcord.ChannelHandle, action: Mapping[str, Any]
    ) -> None:
        shown = self._forms.get(_text(action, "form"))
        values = action.get("values")
        if shown is None or not isinstance(values, Mapping):
            raise RefusedError("That form is gone. Open it again.")
        who = actor if place.guild else actor.user
        filled = {str(key): str(value) for key, value in values.items()}
        await who.submit_modal(simcord.InteractionResult(self.env, shown), filled)
        self._forms.pop(str(shown.id), None)

    async def _complete(
        self, actor: simcord.MemberActor, place: simcord.ChannelHandle, action: Mapping[str, Any]
    ) -> Json:
        """What the slash command that is being typed may become."""
        text = _text(action, "text")
        known = slash.commands(self.env, actor, place.id)
        command = slash.find(text, known)
        typing = slash.typing(text, command, known[command]) if command else None
        if command is None or typing is None:
            return {"completions": []}
        choices = typing.option.get("choices") or []
        choices = [choice for choice in choices if typing.typed.casefold() in choice["name"].casefold()]
        if typing.option.get("autocomplete"):
            name = typing.option["name"]
            with suppress(
                TimeoutError, simcord.SetupError, simcord.BackendError
            ):  # then nothing is suggested
                if place.guild is None:
                    choices = await actor.user.autocomplete(command, name, typing.typed, **typing.beside)
                else:
                    choices = await actor.autocomplete(place, command, name, typing.typed, **typing.beside)
        return {
            "completions": [
                {"name": choice["name"], "text": typing.completed(str(choice["value"]))} for choice in choices
            ]
        }

    async def _dismiss(
        self, actor: simcord.MemberActor, place: simcord.ChannelHandle, action: Mapping[str, Any]
    ) -> None:
        message = self._message(place, action)
        if not (message.is_ephemeral and message.visible_to(actor.id)):
            raise RefusedError("You can dismiss only your own private replies.")
        self.env.backend.delete_message(place.id, message.id)

    _deeds: Mapping[str, Callable[..., Awaitable[Any]]] = {
        "send": _send,
        "click": _click,
        "select": _select,
        "menu": _menu,
        "submit": _submit,
        "complete": _complete,
        "dismiss": _dismiss,
    }

    def _place(self, actor: simcord.MemberActor, channel: int) -> simcord.ChannelHandle:
        found = self.env.backend.channels.get(channel)
        if found is None or not channel_accessible(self.env.backend, channel, actor.id):
            raise RefusedError("That channel is gone.")
        return simcord.ChannelHandle(self.env, self.env.guild if found.guild_id else None, found)

    def _message(
        self, place: simcord.ChannelHandle, action: Mapping[str, Any], key: str = "message"
    ) -> Message:
        found = self.env.backend.messages.get(place.id, {}).get(_number(action, key))
        if found is None:
            raise RefusedError("That message is gone.")
        return found

    def changed(self) -> bool:
        """Whether anything happened since the last call, whoever did it. Cheap: call it many times a second.

        SimCord's transcript gets a line for every gateway event and every REST call, from an actor, the bot
        or a background task that posts through the bot. Emptying it here also bounds its memory.
        """
        backend = self.env.backend
        happened = bool(backend.transcript)
        backend.transcript.clear()
        backend.http_requests.clear()
        if happened:
            self._forget()
        if not self.gate.locked():
            self._catch_up()
        return happened

    async def settle(self) -> None:
        """Run timers that are due (such as a view's timeout), unless an action is doing so anyway."""
        if self.gate.locked() or not self.env.bot.is_ready():
            return
        async with self.gate:
            with suppress(TimeoutError):  # the bot is working, which is fine
                await self.env.settle(timeout=0.02)

    def _catch_up(self) -> None:
        """Set SimCord's frozen clock to the wall clock: cooldowns, ids and times depend on it.

        Not while an action runs: an interaction must be answered within three seconds of *this* clock, and a
        demo that trains on the same processor should be slow rather than fail.
        """
        behind = (datetime.now(UTC) - self.env.backend.clock.now()).total_seconds()
        self.env.backend.advance_clock(max(behind, 0.0))

    def _forget(self) -> None:
        """Drop what SimCord would keep forever: old messages and files, interactions, handled errors."""
        backend = self.env.backend
        for messages in backend.messages.values():
            while len(messages) > _KEPT_MESSAGES:
                old = messages.pop(next(iter(messages)))
                for file in old.attachments:
                    backend.cdn._blobs.pop(file["url"], None)
        while len(backend.interactions) > _KEPT_INTERACTIONS:
            oldest = backend.interactions.pop(next(iter(backend.interactions)))
            backend.interaction_tokens.pop(oldest.token, None)
        del self.env._errors[:-_KEPT_ERRORS]
        self.env._error_ids = set(map(id, self.env._errors))

    def file(self, path: str) -> bytes | None:
        """The bytes of the attachment at this path of its URL; None if there is none."""
        return self.env.backend.cdn.get(f"{CDN_BASE}/{path}")


def _text(action: Mapping[str, Any], key: str) -> str:
    value = action.get(key)
    if not isinstance(value, str):
        raise RefusedError(f"The page sent no {key}.")
    return value


def _number(action: Mapping[str, Any], key: str) -> int:
    text = _text(action, key)
    if not (text.isascii() and text.isdecimal() and len(text) <= 20):
        raise RefusedError(f"“{text[:40]}” is not a {key}.")
    return int(text)


def _kind(message: Message, custom_id: str) -> int | None:
    controls = (control for row in message.components for control in row.get("components") or [])
    return next((control["type"] for control in controls if control.get("custom_id") == custom_id), None)


async def _answered(interaction: Interaction, seconds: float) -> bool:
    """Whether the bot has answered, or answers within `seconds`."""
    for _ in range(int(seconds / _LOOK_SECONDS)):
        if interaction.responded:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    return interaction.responded


def _backend_words(error: simcord.BackendError) -> str:
    if error.status == HTTPStatus.FORBIDDEN:
        return "You are not allowed to do that here."
    if error.status == HTTPStatus.NOT_FOUND:
        return "That is gone."
    return f"Discord says: {error.message}"


def _setup_words(error: simcord.SetupError) -> str:
    text = str(error)
    if bounds := _BOUNDS.search(text):
        least, most = bounds.groups()
        return f"Choose {least}." if least == most else f"Choose {least} to {most}."
    if longest := _TOO_LONG.search(text):
        return f"At most {longest[1]} characters, please."
    if "cannot be empty" in text:
        return "Something is still missing."
    if "disabled" in text:
        return "That is switched off."
    if "No matching component" in text:
        return "That is no longer there."
    return text.split(" — ")[0]
