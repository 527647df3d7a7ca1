"""The dream bag of the day: one a server and local day, late rather than never, never two."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

TODAY = date(2026, 11, 21)


def dreams(world):
    return [message for message in world.channel.history() if "Dream bag of" in message.content]


async def test_a_day_gets_one_bag_however_often_it_is_asked_for(server):
    async with server() as world:
        for _ in range(3):
            await world.app.daily.post(TODAY)
        await world.restart()
        await world.app.daily.post(TODAY)
        assert len(dreams(world)) == 1
        assert "Saturday, 21 November" in dreams(world)[0].content
        await world.app.daily.post(date(2026, 11, 22))
        assert len(dreams(world)) == 2


async def test_a_crash_between_claim_and_post_loses_no_day(server):
    async with server() as world:
        model = await world.app.studio.current()
        await world.app.store.claim_post(world.guild.id, "dream", TODAY, f"{model.version}-7")
        await world.app.daily.post(TODAY)
        (posted,) = dreams(world)
        assert posted.embeds[0].title.endswith("-7")


async def test_a_crash_between_post_and_its_record_doubles_no_day(server, monkeypatch):
    async with server() as world:
        with monkeypatch.context() as patch:

            async def crash(*_):
                raise RuntimeError("the machine went down")

            patch.setattr(world.app.store, "complete_post", crash)
            with pytest.raises(RuntimeError):
                await world.app.daily.post(TODAY)
        await world.app.daily.post(TODAY)
        assert len(dreams(world)) == 1


async def test_without_a_generator_the_day_waits(server):
    async with server(generator=False) as world:
        await world.app.daily.post(TODAY)
        assert not dreams(world)


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2026-11-21 08:59", False),
        ("2026-11-21 09:00", True),
        ("2026-11-21 23:59", True),
        ("2026-03-29 08:59", False),  # clocks went forward in the night
        ("2026-03-29 09:00", True),
        ("2026-10-25 08:59", False),  # clocks went back
        ("2026-10-25 09:00", True),
    ],
)
async def test_the_hour_is_local_also_when_clocks_change(server, monkeypatch, at, due):
    monkeypatch.setenv("BOT_TIMEZONE", "Europe/Paris")
    monkeypatch.setenv("BOT_DREAM_AT", "0 9 * * *")
    async with server(generator=False) as world:
        now = datetime.fromisoformat(at).replace(tzinfo=ZoneInfo("Europe/Paris"))
        assert world.app.daily.due(now) is due


async def test_the_schedule_posts_the_day_by_itself(server, monkeypatch):
    from tests.bot.world import until

    monkeypatch.setenv("BOT_DREAM_AT", "0 0 * * *")
    monkeypatch.setattr("bot.schedule.DAILY_SECONDS", 0.2)
    async with server() as world:
        await until(lambda: dreams(world))
