"""Designs in the store: what was shown to somebody, and what was bred from what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from sqlalchemy import Connection, Select, exists, or_, select, update

from bot import words
from bot.codes import Code
from bot.errors import Refusal
from bot.store.database import Database
from bot.store.models import Descent, Design, Favorite, Vote

RECENT = 200
"""How many of the newest designs of a person and of a guild are searched for suggestions."""


@dataclass(frozen=True)
class Bred:
    """A bred design, with everything it takes to breed and draw it again."""

    code: Code
    parents: tuple[Code, ...]
    seed: int
    """Of the breeding; for a step between two designs, how far along it is, in thousandths."""
    latent: bytes
    """float32 [z + w], as bytes."""


class Designs(Database):
    """The designs that were shown, by code."""

    async def add_designs(
        self,
        codes: Sequence[Code],
        epoch: int,
        guild_id: int,
        user_id: int | None,
        looks: Sequence[bytes | None] = (),
    ) -> None:
        """Record designs that are being shown, and their looks; the first requester stays on record.

        Raises Refusal for a bred design that is not in the store: nothing else knows how to draw it.
        """
        await self.latents(codes)
        looked = list(zip_longest(codes, looks))
        rows = [
            self._row(code, code.seed, epoch, guild_id, user_id) | {"look": look}
            for code, look in looked
            if code.seed is not None
        ]
        insert = self.insert(Design)
        added = insert.on_conflict_do_update(
            index_elements=["code"],
            set_={"look": insert.excluded.look},
            where=Design.look.is_(None) & insert.excluded.look.is_not(None),
        )

        def add(connection: Connection) -> None:
            if rows:
                connection.execute(added, rows)
            for code, look in looked:
                if code.seed is None and look is not None:
                    unseen = update(Design).where(Design.code == str(code), Design.look.is_(None))
                    connection.execute(unseen.values(look=look))

        await self.write(add)

    async def add_bred(self, litter: Sequence[Bred], epoch: int, guild_id: int, user_id: int | None) -> None:
        """Record bred designs, and their parents if they are new."""
        if not litter:
            return  # SQLAlchemy would insert one row of defaults
        parents = dict.fromkeys(parent for bred in litter for parent in bred.parents)
        await self.add_designs(list(parents), epoch, guild_id, user_id)
        rows = [
            self._row(bred.code, bred.seed, epoch, guild_id, user_id)
            | {"parents": " ".join(map(str, bred.parents)), "latent": bred.latent}
            for bred in litter
        ]
        descent = [
            {"parent": str(parent), "child": str(bred.code)}
            for bred in litter
            for parent in dict.fromkeys(bred.parents)
        ]

        def add(connection: Connection) -> None:
            connection.execute(self.insert(Design).on_conflict_do_nothing(), rows)
            if descent:
                connection.execute(self.insert(Descent).on_conflict_do_nothing(), descent)

        await self.write(add)

    async def latents(self, codes: Iterable[Code]) -> dict[Code, bytes]:
        """The stored latents, float32 [z + w] as bytes, of the bred ones among `codes`.

        Raises Refusal if one is not in the store.
        """
        bred = {str(code): code for code in codes if code.seed is None}
        if not bred:
            return {}
        async with self.engine.connect() as connection:
            rows = await connection.execute(select(Design.code, Design.latent).where(Design.code.in_(bred)))
            found = {bred[row.code]: row.latent for row in rows if row.latent is not None}
        for code in bred.values():
            if code not in found:
                raise Refusal(words.unknown_design(str(code)))
        return found

    async def ancestors(self, code: Code, generations: int) -> dict[Code, tuple[Code, ...]]:
        """The parents of a design and of its ancestors, for this many generations; () if there are none."""
        family: dict[Code, tuple[Code, ...]] = {}
        wanted = {str(code)}
        async with self.engine.connect() as connection:
            for _ in range(generations):
                rows = await connection.execute(
                    select(Design.code, Design.parents).where(Design.code.in_(wanted))
                )
                found = {row.code: row.parents or "" for row in rows}
                family |= {
                    Code.of(name): tuple(map(Code.of, parents.split())) for name, parents in found.items()
                }
                wanted = {parent for parents in found.values() for parent in parents.split()}
                wanted -= set(map(str, family))
                if not wanted:
                    break
        return family

    async def breeding_seed(self, code: Code) -> int:
        """The seed of a bred design's breeding."""
        async with self.engine.connect() as connection:
            return await connection.scalar(select(Design.seed).where(Design.code == str(code))) or 0

    async def children(self, code: Code, limit: int) -> list[str]:
        """Codes of up to `limit` designs that were bred from this one."""
        async with self.engine.connect() as connection:
            rows = await connection.execute(
                select(Descent.child).where(Descent.parent == str(code)).limit(limit)
            )
            return list(rows.scalars())

    async def suggestions(
        self, prefix: str, guild_id: int, user_id: int, limit: int, version: str | None = None
    ) -> list[str]:
        """Up to `limit` codes that start with `prefix`, or whose part after the version does.

        First the person's own newest, then the guild's favorites, the guild's newest, and any others. With a
        `version`, only from that generator.
        """
        newest = select(Design.code)
        own = newest.where(Design.user_id == user_id).order_by(Design.created_at.desc())
        kept = (
            select(Favorite.code)
            .where(Favorite.guild_id == guild_id)
            .group_by(Favorite.saved_at, Favorite.code)
            .order_by(Favorite.saved_at.desc())
        )
        seen = newest.where(Design.guild_id == guild_id).order_by(Design.created_at.desc())
        beginning = f"{version}-" if version else ""
        some = beginning if beginning.startswith(prefix) else prefix
        queries: list[Select[Any]] = [query.limit(RECENT) for query in (own, kept, seen)]
        if some:
            # "{" follows "z", the last character that a code can have.
            queries.append(newest.where(Design.code >= some, Design.code < some + "{").limit(limit))
        found: dict[str, None] = {}
        async with self.engine.connect() as connection:
            for query in queries:
                if len(found) >= limit:
                    break
                for code in (await connection.execute(query)).scalars():
                    named = code.startswith(prefix) or code.partition("-")[2].startswith(prefix)
                    if named and code.startswith(beginning):
                        found[code] = None
        return list(found)[:limit]

    async def versions_in_use(self) -> set[str]:
        """Versions of the generators that drew a design with a vote or a favorite: these are never deleted.

        Parents come from the same generator as their children, so theirs is kept too.
        """
        versions = select(Design.version).distinct().subquery()
        loved = (
            select(Design.code)
            .where(Design.version == versions.c.version)
            .where(
                or_(
                    exists(select(Vote.code).where(Vote.code == Design.code)),
                    exists(select(Favorite.code).where(Favorite.code == Design.code)),
                )
            )
        )
        async with self.engine.connect() as connection:
            rows = await connection.execute(select(versions.c.version).where(exists(loved)))
            return set(rows.scalars())

    def _row(self, code: Code, seed: int, epoch: int, guild_id: int, user_id: int | None) -> dict[str, Any]:
        return {
            "code": str(code),
            "version": code.version,
            "seed": seed,
            "epoch": epoch,
            "guild_id": guild_id,
            "user_id": user_id,
            "created_at": self.now(),
        }
