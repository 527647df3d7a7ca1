"""The bot itself, its servers and their members, as the bot asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.wire import limits
from tests.wire.faults import RefusedError
from tests.wire.gateway import Session
from tests.wire.models import Guild
from tests.wire.people import Person
from tests.wire.requests import Request, Work

if TYPE_CHECKING:
    from tests.wire.discord_server import Wire

GATEWAY_MESSAGE_CONTENT_LIMITED = 1 << 19
"""An application's flag: the intent of an app in fewer than 100 servers."""


class Application:
    """The routes under /users, /applications and /guilds, and what the gateway tells of the same."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def routes(self) -> dict[str, Work]:
        """What each route does."""
        return {
            "GET /users/@me": lambda request: self._wire.me.payload | {"mfa_enabled": True, "verified": True},
            "GET /users/{user}": lambda request: self._person(request.id("user")).payload,
            "GET /users/@me/guilds": lambda request: self._guild_list(),
            "GET /oauth2/applications/@me": lambda request: self._application(),
            "GET /applications/@me": lambda request: self._application(),
            "GET /applications/{app}/commands": lambda request: self._wire.commands,
            "PUT /applications/{app}/commands": self._sync,
            "GET /gateway/bot": lambda request: self._gateway_bot(),
            "GET /guilds/{guild}": lambda request: self._guild(request).payload,
            "GET /guilds/{guild}/channels": lambda request: self._guild(request).payload["channels"],
            "GET /guilds/{guild}/members/search": self._search_members,
            "GET /guilds/{guild}/members/{user}": self._member,
        }

    def _application(self) -> dict[str, Any]:
        return {
            "id": str(self._wire.me.id),
            "name": self._wire.me.name,
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "00",
            "flags": 1 << 19 if self._wire.message_content else 0,  # GATEWAY_MESSAGE_CONTENT_LIMITED
            "owner": next(
                (one.payload for one in self._wire.people.values() if not one.bot), self._wire.me.payload
            ),
            "approximate_guild_count": len(self._wire.guilds),
            "install_params": None,
        }

    def _gateway_bot(self) -> dict[str, Any]:
        limit = self._wire.gateway.session_start_limit
        return {
            "url": self._wire.gateway_url,
            "shards": self._wire.gateway.shards,
            "session_start_limit": limit,
        }

    def ready(self, session: Session) -> Iterator[tuple[str, Any]]:
        """The events with which a session begins."""
        guilds = [guild for guild in self._wire.guilds.values() if session.concerns(guild.id)]
        yield (
            "READY",
            {
                "v": 10,
                "user": self._wire.me.payload,
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "session_id": session.id,
                "resume_gateway_url": self._wire.gateway_url,
                "shard": list(session.shard),
                "application": {"id": str(self._wire.me.id), "flags": self._application()["flags"]},
            },
        )
        for guild in guilds:
            yield "GUILD_CREATE", guild.payload | {"unavailable": False}

    def _sync(self, request: Request) -> list[dict[str, Any]]:
        self._wire.syncs += 1
        self._wire.check("command sync", limits.commands(request.payload))
        known = {(one["name"], one["type"]): one["id"] for one in self._wire.commands}
        given = [{"type": 1, "description": ""} | one for one in request.payload]
        self._wire.commands = [
            one
            | {
                "id": known.get((one["name"], one["type"]), str(self._wire.new_id())),
                "application_id": str(self._wire.me.id),
                "version": str(self._wire.new_id()),
                "default_member_permissions": one.get("default_member_permissions"),
            }
            for one in given
        ]
        return self._wire.commands

    def _guild_list(self) -> list[dict[str, Any]]:
        shown = ("id", "name", "features")
        return [
            {key: guild.payload[key] for key in shown} | {"icon": None, "owner": False, "permissions": "0"}
            for guild in self._wire.guilds.values()
        ]

    def _guild(self, request: Request) -> Guild:
        if request.id("guild") not in self._wire.guilds:
            raise RefusedError(404, 10004, "Unknown Guild")
        return self._wire.guilds[request.id("guild")]

    def _person(self, user_id: int) -> Person:
        if user_id not in self._wire.people:
            raise RefusedError(404, 10013, "Unknown User")
        return self._wire.people[user_id]

    def _member(self, request: Request) -> dict[str, Any]:
        guild, person = self._guild(request), self._person(request.id("user"))
        if person.id not in guild.members:
            raise RefusedError(404, 10007, "Unknown Member")
        return guild.member(person)

    def _search_members(self, request: Request) -> list[dict[str, Any]]:
        most = int(request.query.get("limit", 1))
        return self._members_named(self._guild(request), request.query["query"])[:most]

    def _members_named(self, guild: Guild, beginning: str) -> list[dict[str, Any]]:
        def names(person: Person) -> Iterator[str]:
            yield from (person.name, guild.nicks.get(person.id, person.name))

        found = (self._wire.people[member] for member in guild.members)
        wanted = beginning.lower()
        return [
            guild.member(one) for one in found if any(name.lower().startswith(wanted) for name in names(one))
        ]

    def members_chunk(self, guild_id: int, asked: dict[str, Any]) -> dict[str, Any]:
        """The members that the bot asks for through the gateway."""
        guild = self._wire.guilds[guild_id]
        wanted = asked.get("user_ids") or []
        ids = [int(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
        members = [guild.member(self._wire.people[one]) for one in ids if one in guild.members]
        if not ids:
            members = self._members_named(guild, asked.get("query", ""))[: asked["limit"] or None]
        chunk = {"guild_id": str(guild_id), "members": members, "chunk_index": 0, "chunk_count": 1}
        return chunk | {"nonce": asked.get("nonce"), "not_found": []}
