"""Posts in the store: what a guild gets once is claimed before it is sent."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, delete, insert, select, update

from bot.store.database import Database
from bot.store.models import HallPost, Poll, Post, PublishedCommands, RunPost


class Posts(Database):
    """What was posted, and how far."""

    async def post(self, guild_id: int, kind: str, day: date) -> Post | None:
        """A guild's post of a local day, if claimed; without a message id if it is not known to be sent."""
        async with self.engine.connect() as connection:
            query = select(Post.__table__).where(
                Post.guild_id == guild_id, Post.kind == kind, Post.day == day
            )
            row = (await connection.execute(query)).first()
            return Post(**row._mapping) if row else None

    async def claim_post(self, guild_id: int, kind: str, day: date, code: str) -> None:
        """Claim a guild's post of a day before it is sent. Raises IntegrityError if somebody else has."""
        await self.execute(insert(Post).values(guild_id=guild_id, kind=kind, day=day, code=code))

    async def complete_post(self, guild_id: int, kind: str, day: date, message_id: int) -> None:
        """Record the message that fulfilled a claim."""
        await self.execute(
            update(Post)
            .where(Post.guild_id == guild_id, Post.kind == kind, Post.day == day)
            .values(message_id=message_id)
        )

    async def published(self, application_id: int) -> str | None:
        """The digest of the slash commands that Discord knows of an application; None if unknown."""
        query = select(PublishedCommands.digest).where(PublishedCommands.application_id == application_id)
        async with self.engine.connect() as connection:
            return await connection.scalar(query)

    async def publish(self, application_id: int, digest: str) -> None:
        """Record that Discord knows these slash commands."""
        await self.execute(
            self.insert(PublishedCommands)
            .values(application_id=application_id, digest=digest)
            .on_conflict_do_update(index_elements=["application_id"], set_={"digest": digest})
        )

    async def run_post(self, guild_id: int, run: str) -> RunPost | None:
        """How far a run has been posted in a guild; None if not at all."""
        async with self.engine.connect() as connection:
            row = (
                await connection.execute(
                    select(RunPost.__table__).where(RunPost.guild_id == guild_id, RunPost.run == run)
                )
            ).first()
            return RunPost(**row._mapping) if row else None

    async def set_run_post(self, guild_id: int, run: str, thread_id: int, epoch: int, ended: bool) -> None:
        """Record how far a run has been posted in a guild."""
        told = {"thread_id": thread_id, "epoch": epoch, "ended": ended}
        await self.execute(
            self.insert(RunPost)
            .values(guild_id=guild_id, run=run, **told)
            .on_conflict_do_update(index_elements=["guild_id", "run"], set_=told)
        )

    async def lose_messages(self, guild_id: int) -> None:
        """Note that all messages and slash commands of a guild are gone, as those of a demo that has ended.

        Its post of the day is then posted again; what is in the hall of fame counts as removed by somebody.
        """

        def lose(connection: Connection) -> None:
            connection.execute(delete(PublishedCommands))
            connection.execute(delete(RunPost).where(RunPost.guild_id == guild_id))
            connection.execute(update(Poll).where(Poll.guild_id == guild_id).values(announced=True))
            connection.execute(update(Post).where(Post.guild_id == guild_id).values(message_id=None))
            connection.execute(update(HallPost).where(HallPost.guild_id == guild_id).values(message_id=0))

        await self.write(lose)
