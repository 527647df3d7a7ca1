"""What version 0.1.0 left behind goes on working: messages, the store, runs, favorites and config.toml.

`written_by_0_1_0` was written by that version: Ada and Ben dreamed, voted, saved, bred and opened a poll.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import discord
import pytest
from sqlalchemy import text

from bot.settings import load_config
from bot.store.store import Store
from bot.store.votes import Tally
from tests.bot.world import until

WRITTEN = Path(__file__).with_name("written_by_0_1_0")
GUILD, ADA, BEN = 1456074443980800006, 1456074443980800005, 1456074443980800009
"""The simulated Discord numbers alike whenever it begins."""
COMMANDS = 1
"""Entries in menus that are new since then: the simulated Discord numbers them before all that was left."""
CODE, CHILD = "k5qn30-42", "k5qn30-f0b8s6qd"
RUN = "2026-01-01-0000"


@pytest.fixture
def left_behind(tmp_path):
    """The folders of the old version in this test's own."""
    for name in ("runs", "favorites", "generators"):
        shutil.copytree(WRITTEN / name, tmp_path / name)
    shutil.copy(WRITTEN / "bot.db", tmp_path)
    with closing(sqlite3.connect(tmp_path / "bot.db")) as store, store:
        tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for _, column, kind, *_ in store.execute(f"PRAGMA table_info({table})").fetchall():
                if kind == "BIGINT":
                    moved = f"{column} = {column} + {COMMANDS} WHERE {column} > {2**60}"
                    store.execute(f"UPDATE {table} SET {moved}")


async def old_message(world, custom_id, options=()):
    """A message with a control as the old version wrote it."""
    if custom_id in ("bag:setup:channel", "bag:setup:hall"):
        item = discord.ui.ChannelSelect(custom_id=custom_id, min_values=0)
    elif options:
        choices = [discord.SelectOption(label=value, value=value) for value in options]
        item = discord.ui.Select(custom_id=custom_id, options=choices, max_values=len(options))
    else:
        item = discord.ui.Button(custom_id=custom_id, label="old")
    view = discord.ui.View(timeout=None)
    view.add_item(item)
    await world.env.bot.get_channel(world.channel.id).send("from before", view=view)
    view.stop()
    return world.last


async def press(world, person, custom_id, chosen=()):
    """Use a control of an old message after a restart: the message, and what was answered."""
    message = await old_message(world, custom_id, chosen)
    await world.restart()
    if chosen:
        return message, await person.select(message, list(chosen), custom_id=custom_id)
    return message, await person.click(message, custom_id=custom_id)


@pytest.mark.usefixtures("left_behind")
@pytest.mark.parametrize(
    ("custom_id", "chosen", "shows"),
    [
        ("bag:again", (), "Bag k5qn30-"),
        (f"bag:vary:{CODE}", (), f"Variations of {CODE}"),
        (f"bag:litter:{CODE}:k5qn30-7", (), f"Children of {CODE} and k5qn30-7"),
        ("bag:pick", (CODE,), f"Bag {CODE}"),
        ("bag:breed", (CODE, "k5qn30-7"), f"Children of {CODE} and k5qn30-7"),
        (f"bag:with:{CODE}", ("k5qn30-7",), f"Children of {CODE} and k5qn30-7"),
    ],
)
async def test_old_buttons_that_draw(server, custom_id, chosen, shows):
    async with server(generator=False) as world:
        message, _ = await press(world, world.ben, custom_id, chosen)
        assert world.last.id != message.id
        assert world.last.embeds[0].title.startswith(shows)
        assert world.last.attachments


@pytest.mark.usefixtures("left_behind")
async def test_old_buttons_that_vote_save_and_find_mates(server):
    async with server(generator=False) as world:
        store = world.app.store
        assert (await store.tally(CODE)).up == 2
        await press(world, world.ada, f"bag:down:{CODE}")
        assert ((await store.tally(CODE)).up, (await store.tally(CODE)).down) == (1, 1)
        await press(world, world.ada, f"bag:up:{CODE}")
        assert (await store.tally(CODE)).up == 2
        _, result = await press(world, world.ada, f"bag:save:{CODE}")
        assert "now one of your favorites" in result.response.content
        _, result = await press(world, world.ada, f"bag:mate:{CODE}")
        (row,) = result.response.components
        assert row["components"][0]["custom_id"] == f"bag:with:{CODE}"


@pytest.mark.usefixtures("left_behind")
async def test_an_old_polls_ballot_is_counted(server):
    async with server(generator=False) as world:
        await press(world, world.ada, "bag:ballot:1:k5qn30-2")
        assert (await world.app.store.poll(1)).votes == {"k5qn30-1": 1, "k5qn30-2": 1}


@pytest.mark.usefixtures("left_behind")
async def test_old_buttons_that_turn_pages_and_follow_a_run(server):
    async with server(generator=False) as world:
        message, _ = await press(world, world.ben, f"bag:favorites:{ADA}:0")
        assert CHILD in world.now(message).embeds[0].description
        message, _ = await press(world, world.ben, "bag:favorites:0:0")
        assert CODE in world.now(message).embeds[0].description
        message, _ = await press(world, world.ben, "bag:progress")
        assert "Epoch 3" in world.now(message).embeds[0].description
        await press(world, world.ben, f"bag:timelapse:{RUN}")
        assert world.last.attachments[0].filename == "timelapse.gif"


@pytest.mark.usefixtures("left_behind")
async def test_the_old_panels_lists_buttons_and_form(server):
    async with server(generator=False) as world:
        rules = world.app.guilds.rules
        _, result = await press(world, world.ada, "bag:setup:hour", ("21:00",))
        assert rules(world.guild.id).dream_at == "0 21 * * *"
        elsewhere = world.guild.create_text_channel("elsewhere")
        for what in ("hall", "channel"):
            message = await old_message(world, f"bag:setup:{what}")
            await world.restart()
            await world.ada.select(message, [elsewhere], custom_id=f"bag:setup:{what}")
            assert getattr(rules(world.guild.id), what) == str(elsewhere.id)
        _, result = await press(world, world.ada, "bag:setup:look")
        assert result.acknowledged
        _, result = await press(world, world.ada, "bag:setup:more")
        assert result.modal["custom_id"] == "bag:setup:form"
        await world.restart()
        await world.ada.submit_modal(result, {"zone": "Asia/Tokyo", "best": "sun 18", "votes": "4"})
        assert (rules(world.guild.id).timezone, rules(world.guild.id).favorite_votes) == ("Asia/Tokyo", 4)
        await press(world, world.ada, "bag:setup:reset")
        assert rules(world.guild.id).dream_at == ""


@pytest.mark.usefixtures("left_behind")
async def test_the_old_button_that_forgets(server):
    async with server(generator=False) as world:
        assert (world.ada.id, world.ben.id) == (ADA, BEN)
        await press(world, world.ben, f"bag:forget:{BEN}")
        assert (await world.app.store.tally(CODE)).up == 1


@pytest.mark.usefixtures("left_behind")
async def test_the_old_store_is_read_and_goes_on(server, tmp_path):
    async with server(generator=False) as world:
        store = world.app.store
        assert world.guild.id == GUILD
        rules = world.app.guilds.rules(GUILD)
        assert (rules.timezone, rules.dream_at) == ("Europe/Paris", "0 9 * * *")
        assert (await store.poll(1)).votes == {"k5qn30-1": 1, "k5qn30-2": 0}
        card = await store.card(CHILD, GUILD)
        assert (card.user_id, card.saved_by) == (ADA, (ADA,))
        await world.ada.send(world.channel, f"!bag show {CHILD}")
        assert [file.filename for file in world.last.attachments] == [f"{CHILD}.png", "family.png"]
        async with store.engine.connect() as connection:
            days = await connection.execute(text("SELECT day, code FROM posts"))
            ((day, code),) = days.all()
        assert (str(day), code.startswith("k5qn30-")) == ("2026-11-21", True)


@pytest.mark.usefixtures("left_behind")
async def test_old_private_messages_become_those_of_their_person(tmp_path):
    with closing(sqlite3.connect(tmp_path / "bot.db")) as old, old:
        at = "2026-11-16 12:00:00"
        for person, code in ((ADA, "k5qn30-1"), (BEN, "k5qn30-2")):
            old.execute("UPDATE designs SET guild_id = 0, user_id = ? WHERE code = ?", (person, code))
            old.execute("INSERT INTO favorites VALUES (?, 0, ?, ?)", (code, person, at))
            old.execute(
                "INSERT INTO votes VALUES (?, ?, 0, ?, ?)", (code, person, 1 if person == ADA else -1, at)
            )
            old.execute("INSERT INTO votes VALUES (?, ?, 0, 1, ?)", ("k5qn30-7", person, at))
            for period in ("", "2026-11", "2026-W47"):
                old.execute("INSERT INTO scores VALUES (0, ?, ?, 1, 0, 0.2)", (period, code))
        old.execute("INSERT INTO favorites VALUES ('k5qn30-7', 0, 0, ?)", (at,))
        for period in ("", "2026-11", "2026-W47"):
            old.execute("INSERT INTO scores VALUES (0, ?, 'k5qn30-7', 2, 0, 0.3)", (period,))
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'bot.db'}")
    await store.open()
    try:
        for period in ("", "2026-11", "2026-W47"):
            assert dict(await store.top(-ADA, 9, period)) == {"k5qn30-1": Tally(1), "k5qn30-7": Tally(1)}
            assert dict(await store.top(-BEN, 9, period)) == {"k5qn30-7": Tally(1)}
            assert await store.top(0, 9, period) == []
        assert (await store.tally("k5qn30-7"), await store.tally("k5qn30-2")) == (Tally(2, 0), Tally(0, 1))
        assert (await store.card("k5qn30-1", -ADA)).saved_by == (ADA,)
        other = await store.card("k5qn30-1", -BEN)
        assert (other.user_id, other.saved_by) == (None, ())
        assert await store.suggestions("", -BEN, BEN, 9) != await store.suggestions("", -ADA, ADA, 9)
        assert "k5qn30-7" in await store.favorite_codes()
        before = {code: await store.tally(code) for code in ("k5qn30-1", "k5qn30-2", "k5qn30-7")}
        for code in before:  # taken back, a vote leaves the score that it was counted in
            await store.vote(code, ADA, -ADA, 1)
            await store.vote(code, ADA, -ADA, 1)
        assert {code: await store.tally(code) for code in before} == before
    finally:
        await store.close()


@pytest.mark.usefixtures("left_behind")
async def test_old_favorites_are_redrawn_byte_for_byte(server, tmp_path):
    async with server(generator=False):
        folder = tmp_path / "favorites"
        # The enlarged pictures are not in the repository: the bot draws what is missing.
        await until(lambda: len(list(folder.glob("[!.]*-large.png"))) == 2)
        for code in (CODE, CHILD):
            assert (folder / f"{code}.png").read_bytes() == (
                WRITTEN / "favorites" / f"{code}.png"
            ).read_bytes()


def test_the_old_config_toml_says_the_same(tmp_path):
    old, none = load_config(WRITTEN / "config.toml"), load_config(tmp_path / "none.toml")
    assert (old.bot, old.gan) == (none.bot, none.gan)
    # It says 64 pixels, which used to be the default.
    assert old.scraper.image_size == 64
    assert old.scraper.model_copy(update={"image_size": 0}) == none.scraper
