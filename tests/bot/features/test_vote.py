"""👍 👎 and `!bag top`."""

import asyncio
import json
import sqlite3
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text

from bot.client import edits, retries
from bot.store.votes import Tally
from tests.bot.world import until

EDIT = "/webhooks/*/messages/@original"


def labels(message):
    return [item.label for item in message.components[0].children][:2]


async def dreamt(world, seed=42):
    """A bag, its code, and the custom ids of 👍 and 👎."""
    await world.ada.send(world.channel, f"!bag {seed}")
    code = world.code
    return world.last, code, f"bag:up:{code}", f"bag:down:{code}"


async def test_one_vote_a_person_changeable_and_retractable(server):
    async with server() as world:
        bag, _, up, down = await dreamt(world)
        for person, button, expected in (
            (world.ada, up, ["1", "0"]),
            (world.ben, up, ["2", "0"]),
            (world.ben, down, ["1", "1"]),
            (world.ben, down, ["1", "0"]),
        ):
            await person.click(bag, custom_id=button)
            assert labels(world.now(bag)) == expected


async def test_the_buttons_of_an_old_message_work_after_a_restart(server):
    async with server() as world:
        bag, code, up, down = await dreamt(world)
        await world.ada.click(bag, custom_id=up)
        await world.restart()
        await world.ben.click(bag, custom_id=down)
        assert labels(world.now(bag)) == ["1", "1"]
        await world.ben.click(bag, custom_id=f"bag:save:{code}")
        await world.ben.click(bag, custom_id="bag:again")
        assert world.code != code


async def test_votes_survive_a_store_that_was_lost(server):
    async with server() as world:
        bag, _, up, _ = await dreamt(world)
        async with world.app.store.engine.begin() as connection:
            await connection.execute(text("DELETE FROM designs"))
        await world.ben.click(bag, custom_id=up)
        assert labels(world.now(bag)) == ["1", "0"]


async def test_votes_of_all_servers_are_on_the_buttons_but_a_favorite_is_one_servers(server):
    async with server() as world:
        bag, code, up, _ = await dreamt(world)
        for stranger in range(1, 10):
            await world.app.store.vote(code, stranger, 777, 1)
        await world.ada.click(bag, custom_id=up)
        assert labels(world.now(bag)) == ["10", "0"]
        assert not await world.app.store.is_favorite(code, world.guild.id)


async def test_at_the_threshold_a_design_becomes_the_communitys_favorite_once(server):
    async with server() as world:
        bag, code, up, _ = await dreamt(world)
        await world.ada.click(bag, custom_id=up)
        assert not (world.folder / "favorites").exists()
        for _ in range(3):  # over the threshold, under it, and over it again
            await world.ben.click(bag, custom_id=up)
        assert (await world.app.store.tally(code)) == Tally(2, 0)
        said = [message.content for message in world.channel.history() if "favorite" in message.content]
        assert len(said) == 1
        about = json.loads((world.folder / "favorites" / f"{code}.json").read_text())
        assert about["seed"] == 42
        assert about["votes"] == {"up": 2, "down": 0}
        assert (world.folder / "favorites" / f"{code}.png").stat().st_size > 0


async def test_a_threshold_that_a_server_has_set_is_its_own(server):
    async with server() as world:
        await world.app.guilds.set_up(world.guild.id, favorite_votes=1)
        bag, code, up, _ = await dreamt(world)
        await world.ada.click(bag, custom_id=up)
        assert await world.app.store.is_favorite(code, world.guild.id)


async def test_a_vote_needs_no_picture(server, monkeypatch):
    """The drawing process may be dead, or busy for long."""
    async with server() as world:
        bag, _, up, _ = await dreamt(world)

        async def dead(*_):
            raise AssertionError("nothing is drawn for a vote")

        monkeypatch.setattr(world.app.pool, "draw", dead)
        await world.ada.click(bag, custom_id=up)
        assert labels(world.now(bag)) == ["1", "0"]


@pytest.mark.parametrize("rounds", [1, pytest.param(10, marks=pytest.mark.slow)])
async def test_a_burst_of_clicks_by_200_people_is_counted_exactly(server, rounds, monkeypatch):
    """10 rounds are 2,000 clicks: half of the people press 👍 9 times, the others 👎 11 times."""
    monkeypatch.setattr(edits, "SECONDS", 1.0)
    monkeypatch.setenv("BOT_FAVORITE_VOTES", "1000")
    async with server() as world:
        # SimCord moves its clock only when all is still, and gives up for good if that takes too long.
        world.env.settle_timeout = 600
        bag, code, up, down = await dreamt(world)
        people = [world.guild.add_member(world.env.create_user(f"p{n}")).id for n in range(200)]
        odd = rounds - 1 + rounds % 2
        began, before, records = time.monotonic(), len(world.env.http_requests), []
        for turn in range(2 * rounds - odd):
            clicks = [(person, up) for person in people[:100] if turn < odd]
            clicks += [(person, down) for person in people[100:]]
            records += world.click_at_once(bag, clicks)
            await until(lambda: all(record.responded for record in records), 300)  # noqa: B023 # it ends in here
        assert len(records) == 200 * rounds
        await until(lambda: labels(world.now(bag)) == ["100", "100"], 300)
        took = time.monotonic() - began
        assert await world.app.store.tally(code) == Tally(100, 100)
        made = [one for one in world.env.http_requests[before:] if one.method == "PATCH"]
        assert len(made) <= took + 2
        assert all(record.followup_ids == [] for record in records)  # nobody was told of an error
        await world.env.settle()
        assert labels(world.now(bag)) == ["100", "100"]


@pytest.mark.parametrize(("status", "code"), [(500, 0), (429, 0), (429, retries.TOO_OLD)])
async def test_a_refused_edit_is_made_later(server, monkeypatch, status, code):
    monkeypatch.setattr(retries, "TOO_OLD_SECONDS", 0.1)
    async with server() as world:
        bag, _, up, _ = await dreamt(world)
        world.env.inject_error("PATCH", EDIT, status=status, code=code, times=2)
        result = await world.ada.click(bag, custom_id=up)
        assert result.acknowledged
        await until(lambda: labels(world.now(bag)) == ["1", "0"])


async def test_an_edit_that_stays_refused_loses_no_vote(server):
    async with server() as world:
        bag, code, up, _ = await dreamt(world)
        world.env.inject_error("PATCH", EDIT, status=403, code=50001, times=1)
        await world.ada.click(bag, custom_id=up)
        assert labels(world.now(bag)) == ["0", "0"]
        await world.ben.click(bag, custom_id=up)  # the next one shows both
        assert labels(world.now(bag)) == ["2", "0"]
        assert (await world.app.store.tally(code)).up == 2


async def test_a_vote_counts_although_the_message_has_just_been_deleted(server):
    async with server() as world:
        bag, code, up, _ = await dreamt(world)
        world.env.inject_error("PATCH", EDIT, status=404, code=10008, times=None)
        result = await world.ada.click(bag, custom_id=up)
        assert not result.followups
        assert (await world.app.store.tally(code)).up == 1


async def test_a_click_that_could_not_be_answered_is_not_counted(server):
    """Discord tells the person that it failed; pressed again, it counts once instead of being taken back."""
    async with server() as world:
        bag, code, up, _ = await dreamt(world)
        world.env.inject_error("POST", "/interactions/*/callback", status=404, code=10062, times=1)
        await world.ada.click(bag, custom_id=up)
        await world.ada.click(bag, custom_id=up)
        assert (await world.app.store.tally(code)).up == 1


async def test_a_vote_waits_for_a_store_that_another_process_writes_to(server):
    async with server() as world:
        bag, _, up, _ = await dreamt(world)
        other = sqlite3.connect(world.folder / "bot.db", isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(1.0, other.rollback)
        await world.ada.click(bag, custom_id=up)
        await until(lambda: labels(world.now(bag)) == ["1", "0"])
        other.close()


async def test_a_store_that_stays_locked_is_told_and_no_vote_is_lost(server, monkeypatch):
    monkeypatch.setattr("bot.store.database.BUSY_MS", 200)
    async with server() as world:
        bag, code, up, _ = await dreamt(world)
        await world.ada.click(bag, custom_id=up)
        other = sqlite3.connect(world.folder / "bot.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        result = await world.ben.click(bag, custom_id=up)
        assert result.response.ephemeral
        assert "try again" in result.response.content
        other.close()
        assert (await world.app.store.tally(code)).up == 1
        await world.ben.click(bag, custom_id=up)
        assert (await world.app.store.tally(code)).up == 2


async def test_on_a_full_disk_a_vote_says_so_and_leaves_the_scores_right(server):
    async with server() as world:
        bag, code, up, down = await dreamt(world)
        await world.ada.click(bag, custom_id=up)
        pages = sqlite3.connect(world.folder / "bot.db").execute("PRAGMA page_count").fetchone()[0]

        def fill(connection, *_):
            connection.execute(f"PRAGMA max_page_count={pages}")

        writer = world.app.store._writer._engine
        event.listen(writer, "connect", fill)
        writer.dispose()
        told, voter = "", 1000
        while not told:
            voter += 1
            try:
                await world.app.store.vote(code, voter, voter, 1)
            except Exception as error:
                told = str(error)
        assert "disk is full" in told
        before = await world.app.store.tally(code)
        result = await world.ben.click(bag, custom_id=down)
        event.remove(writer, "connect", fill)
        writer.dispose()
        if result.response.ephemeral:  # else a page had room for it
            assert "disk is full" in result.response.content
            assert await world.app.store.tally(code) == before
        await world.env.settle()
        async with world.app.store.engine.connect() as connection:
            votes = await connection.scalar(text("SELECT sum(value = 1) FROM votes"))
        assert (await world.app.store.tally(code)).up == votes


@pytest.mark.parametrize("form", ["prefix", "slash"])
async def test_top_lists_the_best_first(server, form):
    async with server() as world:
        codes = []
        for seed, voters in ((1, [world.ada]), (2, [world.ada, world.ben]), (3, [])):
            bag, code, up, _ = await dreamt(world, seed)
            codes.append(code)
            for voter in voters:
                await voter.click(bag, custom_id=up)
        await world.say(world.ada, form, "top")
        embed = world.last.embeds[0]
        assert embed.description.index(codes[1]) < embed.description.index(codes[0])
        assert codes[2] not in embed.description
        assert "Wilson" in embed.footer.text
        await world.pick(world.ben, world.last, codes[0])
        assert world.code == codes[0]


@pytest.mark.parametrize("form", ["prefix", "slash"])
async def test_top_knows_weeks_and_months(server, form):
    async with server() as world:
        _, old, _, _ = await dreamt(world, 1)
        _, new, _, _ = await dreamt(world, 2)
        now = datetime.now(UTC)
        await world.app.store.vote(old, 1, world.guild.id, 1, now - timedelta(40))
        await world.app.store.vote(old, 2, world.guild.id, 1, now - timedelta(40))
        await world.app.store.vote(new, 1, world.guild.id, 1)
        for period in ("week", "month"):
            await world.say(world.ada, form, "top", period=period)
            assert new in world.last.embeds[0].description
            assert old not in world.last.embeds[0].description
        await world.say(world.ada, form, "top", period="ever")
        text = world.last.embeds[0].description
        assert text.index(old) < text.index(new)


async def test_top_of_nothing_and_of_no_known_period_is_a_kind_word(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag top")
        await world.ada.send(world.channel, "!bag top century")
        assert "Nobody has voted yet" in world.whispers(world.ada)[0]
        assert "!bag top" in world.whispers(world.ada)[1]
        result = await world.ada.slash(world.channel, "bag top", period="month")
        assert result.ephemeral
        assert "this month" in result.response.content
