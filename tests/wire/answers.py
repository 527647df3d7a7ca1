"""How the bot answers interactions: the callback within 3 seconds, then messages for 15 minutes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.wire import limits
from tests.wire.faults import RefusedError
from tests.wire.messages import Messages
from tests.wire.models import (
    CHOICES,
    COMMAND,
    DEADLINE,
    DEFERRED,
    EPHEMERAL,
    FORM,
    LOADING,
    MESSAGE,
    MODAL,
    THINKING,
    UPDATE,
    Interaction,
    Message,
)
from tests.wire.requests import Request, Work

if TYPE_CHECKING:
    from tests.wire.discord_server import Wire

TOKEN_SECONDS = 900.0
"""For how long an interaction's token is good."""
BY_COMMAND = 20
"""A message's type."""


class Answers:
    """The routes under /interactions and /webhooks."""

    def __init__(self, wire: Wire, messages: Messages) -> None:
        self._wire = wire
        self._messages = messages

    def routes(self) -> dict[str, Work]:
        """What each route does."""
        message = "/webhooks/{app}/{token}/messages/{message}"
        return {
            "POST /interactions/{interaction}/{token}/callback": self._callback,
            "POST /webhooks/{app}/{token}": self._follow_up,
            f"GET {message}": lambda request: self._answer(request)[1].payload,
            f"PATCH {message}": self._edit_answer,
            f"DELETE {message}": self._delete_answer,
        }

    def _callback(self, request: Request) -> dict[str, Any] | None:
        interaction = self._wire.by_token(request.parameters["token"])
        seconds = 0.0 if interaction is None else time.monotonic() - interaction.began
        if interaction is not None and interaction.acknowledged:
            interaction.refused.append(40060)
            raise RefusedError(400, 40060, "Interaction has already been acknowledged.")
        if interaction is None or interaction.id != request.id("interaction") or seconds > DEADLINE:
            if interaction is not None:
                interaction.refused.append(10062)
            raise RefusedError(404, 10062, "Unknown interaction")
        kind, data = request.payload["type"], request.payload.get("data") or {}
        allowed = limits.CALLBACKS[interaction.type]
        if interaction.type == FORM and interaction.message is None:
            allowed = allowed - {DEFERRED, UPDATE}
        self._wire.check("a callback", [] if kind in allowed else [f"type {kind} for a {interaction.type}"])
        asked = Request(request.parameters, request.query, data, request.files)
        match type:
            case _ if kind == MESSAGE:
                self._wire.check("an answer", limits.message(data, request.files, flags=EPHEMERAL))
                self._respond(interaction, asked)
            case _ if kind == THINKING:
                self._wire.check("a deferral", [] if data.get("flags", 0) in (0, EPHEMERAL) else ["flags"])
                interaction.original = self._loading(interaction, data.get("flags", 0))
            case _ if kind in (DEFERRED, UPDATE):
                interaction.original = interaction.message
                if kind == UPDATE and interaction.message is not None:
                    self._messages.change(interaction.message, asked)
            case _ if kind == CHOICES:
                self._wire.check("autocomplete", limits.autocomplete(data))
                interaction.choices = data["choices"]
            case _ if kind == MODAL:
                self._wire.check("a form", limits.modal(data))
                interaction.modal = data
        interaction.take(kind)
        if request.query.get("with_response") not in ("1", "true"):
            return None
        told: dict[str, Any] = {"id": str(interaction.id), "type": interaction.type}
        resource: dict[str, Any] = {"type": kind}
        if interaction.original is not None and kind in (MESSAGE, THINKING, UPDATE):
            flags = interaction.original.payload["flags"]
            told["response_message_id"] = str(interaction.original.id)
            told["response_message_loading"] = bool(flags & LOADING)
            told["response_message_ephemeral"] = bool(flags & EPHEMERAL)
            resource["message"] = interaction.original.payload
        return {"interaction": told, "resource": resource}

    def _loading(self, interaction: Interaction, flags: int) -> Message:
        """The message "thinking…"."""
        message = self._made_by(interaction, flags | LOADING)
        self._wire.tell("MESSAGE_CREATE", message)
        return message

    def _made_by(self, interaction: Interaction, flags: int) -> Message:
        message = self._wire.add_message(
            interaction.channel,
            self._wire.me,
            type=BY_COMMAND if interaction.type == COMMAND else 0,
            flags=flags,
            webhook_id=str(self._wire.me.id),
            application_id=str(self._wire.me.id),
            interaction_metadata=interaction.metadata,
        )
        if flags & EPHEMERAL:
            interaction.person.whispers.append(message)
        return message

    def _respond(self, interaction: Interaction, request: Request) -> Message:
        """A message as an answer: the callback's own, or a followup."""
        message = self._made_by(interaction, request.payload.get("flags", 0) & EPHEMERAL)
        self._messages.fill(message, request)
        self._wire.tell("MESSAGE_CREATE", message)
        if interaction.acknowledged:
            interaction.followups.append(message)
        else:
            interaction.original = message
        return message

    def _by_token(self, request: Request) -> Interaction:
        interaction = self._wire.by_token(request.parameters["token"])
        if interaction is None or not interaction.acknowledged:
            raise RefusedError(404, 10015, "Unknown Webhook")
        if time.monotonic() - interaction.began > TOKEN_SECONDS:
            raise RefusedError(401, 50027, "Invalid Webhook Token")
        return interaction

    def _follow_up(self, request: Request) -> dict[str, Any]:
        interaction = self._by_token(request)
        self._wire.check("a followup", limits.message(request.payload, request.files, flags=EPHEMERAL))
        if interaction.thinking and interaction.original is not None:
            # The first one takes the place of "thinking…", and is as private as that.
            return self._complete(interaction.original, request)
        return self._respond(interaction, request).payload

    def _complete(self, loading: Message, request: Request) -> dict[str, Any]:
        loading.payload["flags"] &= ~LOADING
        self._messages.fill(loading, request)
        self._wire.tell("MESSAGE_UPDATE", loading)
        return loading.payload

    def _answer(self, request: Request) -> tuple[Interaction, Message]:
        """The message of an interaction that a request names."""
        interaction = self._by_token(request)
        named = request.parameters["message"]
        own = [interaction.original, *interaction.followups]
        found = [one for one in own if one is not None and str(one.id) == named]
        message = interaction.original if named == "@original" else next(iter(found), None)
        if message is None or message.id not in self._wire.messages:
            raise RefusedError(404, 10008, "Unknown Message")
        return interaction, message

    def _edit_answer(self, request: Request) -> dict[str, Any]:
        interaction, message = self._answer(request)
        if interaction.thinking and message is interaction.original:
            self._wire.check("an answer", limits.message(request.payload, request.files))
            return self._complete(message, request)
        return self._messages.change(message, request)

    def _delete_answer(self, request: Request) -> None:
        _, message = self._answer(request)
        message.payload["flags"] &= ~LOADING
        self._messages.remove(message)
