"""A filled store of an earlier revision is upgraded, and goes on."""

from datetime import UTC, datetime, timedelta

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from bot.codes import LONGEST, Code
from bot.store.database import _MIGRATIONS
from bot.store.designs import Bred
from bot.store.models import Base
from bot.store.store import Store
from bot.store.votes import Tally

GUILD, ADA = 5, 7
AT = datetime(2026, 11, 16, 12, tzinfo=UTC)
FILL = (
    "INSERT INTO designs (code, version, seed, epoch, guild_id, user_id, created_at, parents, latent) VALUES "
    "('k3f9x2-1', 'k3f9x2', 1, 3, 5, 7, :at, NULL, NULL), "
    "('k3f9x2-2', 'k3f9x2', 2, 3, 5, 7, :at, NULL, NULL), "
    "('k3f9x2-q7h2m0ab', 'k3f9x2', 9, 3, 5, 7, :at, 'k3f9x2-1 k3f9x2-2', :latent)",
    "UPDATE designs SET look = :latent WHERE code = 'k3f9x2-1'",
    "INSERT INTO guild_settings (guild_id, timezone) VALUES (5, 'Europe/Paris')",
    "INSERT INTO descent (parent, child) VALUES ('k3f9x2-1', 'k3f9x2-q7h2m0ab')",
    "INSERT INTO votes (code, user_id, guild_id, value, voted_at) VALUES ('k3f9x2-1', 7, 5, 1, :at)",
    "INSERT INTO scores (guild_id, period, code, up, down, bound) VALUES (5, '', 'k3f9x2-1', 1, 0, 0.2)",
    "INSERT INTO favorites (code, guild_id, user_id, saved_at) VALUES ('k3f9x2-1', 5, 7, :at)",
    "INSERT INTO hall_posts (guild_id, code, channel_id, message_id) VALUES (5, 'k3f9x2-1', 8, 9)",
    "INSERT INTO posts (guild_id, kind, day, code, message_id) VALUES (5, 'dream', :day, 'k3f9x2-1', 3)",
    "INSERT INTO rounds (id, guild_id, channel_id, message_id, codes, closes_at, closed, announced) VALUES "
    "(1, 5, 8, 9, 'k3f9x2-1 k3f9x2-2', :at, false, false)",
    "INSERT INTO ballots (round_id, user_id, code) VALUES (1, 7, 'k3f9x2-2')",
)


async def fill(store, revision):
    """Make the tables of a revision, and put something into each that has codes."""

    def migrate(connection):
        config = Config()
        config.set_main_option("script_location", _MIGRATIONS)
        config.attributes |= {"connection": connection, "metadata": Base.metadata}
        command.upgrade(config, revision)

    await store.write(migrate)
    values = {"at": AT, "day": AT.date(), "latent": b"\0" * 64}
    async with store.engine.begin() as connection:
        for statement in FILL:
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            await connection.execute(text(statement), used)
        if store.engine.dialect.name == "postgresql":
            await connection.execute(text("SELECT setval('rounds_id_seq', 1)"))


async def upgraded_to_codes_with_words(url):
    """Upgrade a filled store from 0004: what was there stays, and the longest codes go everywhere."""
    old = Store(url)
    await fill(old, "0004")
    await old.close()
    store = Store(url)
    await store.open()
    try:
        one, two, child = map(Code.of, ("k3f9x2-1", "k3f9x2-2", "k3f9x2-q7h2m0ab"))
        assert await store.latents([child]) == {child: b"\0" * 64}
        assert (await store.ancestors(child, 1))[child] == (one, two)
        assert await store.children(one, 9) == [str(child)]
        assert await store.top(GUILD, 9) == [(str(one), Tally(1, 0))]
        assert await store.favorite_codes() == [str(one)]
        assert (await store.hall_post(GUILD, str(one))).message_id == 9
        assert (await store.post(GUILD, "dream", AT.date())).code == str(one)
        assert (await store.poll(1)).votes == {str(one): 0, str(two): 1}

        longest = [
            Code.seeded("k3f9x2", 10**9 + n, "w" * (LONGEST - len("k3f9x2-1000000000-"))) for n in range(4)
        ]
        codes = list(map(str, longest))
        assert {len(code) for code in codes} == {LONGEST}
        await store.add_designs(longest, 3, GUILD, ADA)
        bred = Bred(Code.bred("child", longest[:2], 1), tuple(longest[:2]), 1, b"\0" * 64)
        await store.add_bred([bred], 3, GUILD, ADA)
        assert (await store.ancestors(bred.code, 1))[bred.code] == tuple(longest[:2])
        await store.vote(codes[0], ADA, GUILD, 1)
        await store.save(codes[0], GUILD, ADA)
        await store.claim_hall_post(GUILD, codes[0], 8)
        await store.claim_post(GUILD, "dream", AT.date() + timedelta(days=1), codes[0])
        poll = await store.open_poll(GUILD, 8, codes, store.now() + timedelta(hours=1))
        assert await store.cast(poll.id, ADA, codes[3])
        assert (await store.poll(poll.id)).winners == [codes[3]]
        assert dict(await store.top(GUILD, 9)) == {str(one): Tally(1, 0), codes[0]: Tally(1, 0)}

        assert await store.opinions(GUILD, 9) == {str(one): Tally(1, 0), codes[0]: Tally(1, 0)}
        assert await store.ballots(GUILD, 9) == [
            {str(one): 0, str(two): 1},
            dict.fromkeys(codes[:3], 0) | {codes[3]: 1},
        ]
        assert await store.traits([str(one), codes[0]]) == {}  # no words were noted
        traits = {str(one): (b"1" * 256, ""), codes[0]: (b"2" * 256, "red laptop-bag")}
        await store.note_traits(traits)
        assert await store.traits([*traits, str(two)]) == traits
        await store.set_up(GUILD, {"theme": "w" * 80})
        assert await store.guild_settings() == {GUILD: {"timezone": "Europe/Paris", "theme": "w" * 80}}
    finally:
        await store.close()


async def test_codes_with_words(tmp_path):
    await upgraded_to_codes_with_words(f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}")
