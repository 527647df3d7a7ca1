"""The week's best: one grid a week of what the server voted for, and nothing when nobody voted."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bot.features.daily.weekly import week_told

SUNDAY = "0 18 * * sun"


@pytest.fixture(autouse=True)
def _by_hand(monkeypatch):
    """Here nothing is posted at the machine's own time."""
    monkeypatch.setattr("bot.schedule.POST_SECONDS", 10**6)


def best(channel):
    return [message for message in channel.history() if "The week's best" in message.content]


async def look(world, moment):
    await world.catch_up(world.app.weekly, datetime.fromisoformat(moment).replace(tzinfo=UTC))


async def dream(world, *votes, seed, at):
    """A bag of Ben's with votes."""
    await world.ben.send(world.channel, f"!bag {seed}")
    when = datetime.fromisoformat(at).replace(tzinfo=UTC)
    for user, value in enumerate(votes, 1000):
        await world.app.store.vote(world.code, user, world.guild.id, value, when)
    return world.code


@pytest.mark.parametrize(
    ("day", "monday"),
    [
        ("2026-11-22", "2026-11-16"),  # a Sunday tells its own week
        ("2026-11-23", "2026-11-16"),  # a Monday the one before
        ("2026-11-28", "2026-11-16"),
        ("2026-11-29", "2026-11-23"),
        ("2027-01-03", "2026-12-28"),
    ],
)
def test_the_week_told_is_the_last_one_that_is_over_by_the_evening(day, monday):
    assert week_told(date.fromisoformat(day)) == date.fromisoformat(monday)


async def test_the_weeks_best_come_once_in_order_with_votes_and_dreamers(server):
    async with server() as world:
        await world.app.guilds.set_up(world.guild.id, best_at=SUNDAY)
        good = await dream(world, 1, 1, 1, seed=1, at="2026-11-17 12:00")
        fair = await dream(world, 1, 1, -1, seed=2, at="2026-11-22 12:00")
        bad = await dream(world, -1, seed=3, at="2026-11-18 12:00")
        old = await dream(world, 1, 1, 1, 1, seed=4, at="2026-11-15 23:00")
        await look(world, "2026-11-22 17:59")
        assert not best(world.channel)
        for moment in ("2026-11-22 18:00", "2026-11-22 18:01", "2026-11-23 05:00"):
            await look(world, moment)
        await world.restart()
        await look(world, "2026-11-23 05:30")
        (told,) = best(world.channel)
        (embed,) = told.embeds
        assert embed.title == "Your favorite bags from 16 November to 22 November"
        assert f"**1** `{good}` 👍 3  👎 0 · dreamed by <@{world.ben.id}>" in embed.description
        assert f"**2** `{fair}` 👍 2  👎 1" in embed.description
        assert bad not in embed.description
        assert old not in embed.description
        assert good in told.attachments[0].description
        assert not told.mentions
        await world.pick(world.ada, told, good)
        assert world.code == good


async def test_a_week_without_votes_is_passed_over_and_late_votes_wake_it_not(server):
    async with server() as world:
        await world.app.guilds.set_up(world.guild.id, best_at=SUNDAY)
        await look(world, "2026-11-22 18:00")
        await dream(world, 1, seed=1, at="2026-11-22 18:30")
        await look(world, "2026-11-22 19:00")
        assert not best(world.channel)
        await dream(world, 1, seed=2, at="2026-11-24 12:00")
        await look(world, "2026-11-29 18:00")
        assert len(best(world.channel)) == 1


async def test_a_crash_after_the_post_doubles_no_week(server, monkeypatch):
    class Crash(BaseException):
        pass

    async def crash(*_):
        raise Crash

    async with server() as world:
        await world.app.guilds.set_up(world.guild.id, best_at=SUNDAY)
        await dream(world, 1, seed=1, at="2026-11-17 12:00")
        for step, day in (("complete_post", 22), ("claim_post", 29)):
            await dream(world, 1, seed=day, at=f"2026-11-{day - 1} 12:00")
            with monkeypatch.context() as patch:
                patch.setattr(world.app.store, step, crash)
                with pytest.raises(Crash):
                    await look(world, f"2026-11-{day} 18:00")
            await world.restart()
            moment = datetime.fromisoformat(f"2026-11-{day} 18:05").replace(tzinfo=UTC)
            for _ in range(2):
                await world.catch_up(world.app.weekly, moment)
                moment += timedelta(hours=1)
        assert len(best(world.channel)) == 2
