"""The dream bag of the day: one a server and local day, late rather than never, never two."""

import contextlib
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import discord
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import words
from bot.codes import Code
from bot.features.daily.taste import Pick
from tests.bot.world import until

PARIS = "Europe/Paris"
NINE = "0 9 * * *"


@pytest.fixture(autouse=True)
def _by_hand(monkeypatch):
    """Here nothing is posted at the machine's own time."""
    monkeypatch.setattr("bot.schedule.POST_SECONDS", 10**6)


class Crash(BaseException):
    """The machine goes down."""


def crash_at(patch, world, step, after):
    """Let the machine go down before or after a step."""
    place = discord.TextChannel if step == "send" else world.app.store
    real = getattr(place, step)

    async def crash(*args, **kwargs):
        if after:
            await real(*args, **kwargs)
        raise Crash

    patch.setattr(place, step, crash)


def at(text, zone=PARIS, fold=0):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def dreams(channel):
    return [
        message.content.splitlines()[0].strip("*").removeprefix("Dream bag of ")
        for message in channel.history()
        if "Dream bag of" in message.content
    ]


async def rule(world, guild=None, cron=NINE, zone=PARIS):
    await world.app.guilds.set_up((guild or world.guild).id, dream_at=cron, timezone=zone)


async def look(world, moment, zone=PARIS, fold=0):
    await world.catch_up(world.app.daily, at(moment, zone, fold))


async def test_a_day_gets_one_bag_however_often_it_is_looked_at(server):
    async with server() as world:
        await rule(world)
        await look(world, "2026-11-21 08:59")
        assert not dreams(world.channel)
        for minute in ("09:00", "09:01", "15:00"):
            await look(world, f"2026-11-21 {minute}")
        await world.restart()
        await look(world, "2026-11-21 16:00")
        assert dreams(world.channel) == ["Saturday, 21 November 2026"]
        posted = world.last
        assert posted.attachments[0].description
        assert posted.components  # votable like any bag
        await look(world, "2026-11-22 09:00")
        assert len(dreams(world.channel)) == 2


async def test_by_default_the_config_says_when_and_never_is_never(server, monkeypatch):
    monkeypatch.setenv("BOT_TIMEZONE", PARIS)
    monkeypatch.setenv("BOT_DREAM_AT", NINE)
    async with server() as world:
        await rule(world, cron="", zone=None)
        await look(world, "2026-11-21 10:00")
        assert not dreams(world.channel)
        await rule(world, cron=None, zone=None)
        await look(world, "2026-11-21 10:00")
        assert len(dreams(world.channel)) == 1


async def test_a_missed_hour_is_made_up_also_across_midnight_and_after_the_limit_no_more(server):
    async with server() as world:
        await rule(world, cron="0 23 * * *")
        await look(world, "2026-11-22 01:00")
        await look(world, "2026-11-22 10:59")
        await look(world, "2026-11-23 11:01")
        assert dreams(world.channel) == ["Saturday, 21 November 2026"]


async def test_how_late_is_configurable_and_each_missed_day_within_it_has_its_bag(server, monkeypatch):
    monkeypatch.setenv("BOT_LATE_HOURS", "36")
    async with server() as world:
        await rule(world)
        await look(world, "2026-11-21 20:00")
        assert dreams(world.channel) == ["Friday, 20 November 2026", "Saturday, 21 November 2026"]


async def test_an_hour_that_spring_skips_is_made_up_right_after_it(server):
    async with server() as world:
        await rule(world, cron="30 2 * * *")
        await look(world, "2026-03-29 01:59")
        assert not dreams(world.channel)
        await look(world, "2026-03-29 03:30")
        await look(world, "2026-03-29 04:30")
        assert dreams(world.channel) == ["Sunday, 29 March 2026"]
        await look(world, "2026-03-30 02:29")
        await look(world, "2026-03-30 02:30")
        assert len(dreams(world.channel)) == 2


async def test_an_hour_that_autumn_repeats_gets_one_bag_in_its_first_round(server):
    async with server() as world:
        await rule(world, cron="30 2 * * *")
        await look(world, "2026-10-25 02:29", fold=0)
        assert not dreams(world.channel)
        await look(world, "2026-10-25 02:30", fold=0)
        assert len(dreams(world.channel)) == 1
        await look(world, "2026-10-25 02:30", fold=1)
        await world.restart()
        await look(world, "2026-10-25 02:45", fold=1)
        assert dreams(world.channel) == ["Sunday, 25 October 2026"]


async def test_a_zone_changed_during_the_day_doubles_none_and_clocks_set_back_neither(server):
    async with server() as world:
        await rule(world, zone="Asia/Tokyo")
        await look(world, "2026-11-21 09:00", "Asia/Tokyo")
        await rule(world, zone="America/New_York")
        await look(world, "2026-11-21 09:00", "America/New_York")
        await look(world, "2026-11-21 07:00", "America/New_York")
        await look(world, "2026-11-21 11:00", "America/New_York")
        assert dreams(world.channel) == ["Saturday, 21 November 2026"]
        await rule(world, zone="Asia/Tokyo")
        await look(world, "2026-11-22 09:00", "Asia/Tokyo")
        assert len(dreams(world.channel)) == 2


async def test_a_crash_at_any_step_leaves_the_day_one_bag(server, monkeypatch):
    async with server() as world:
        await rule(world)
        steps = [
            (step, when)
            for step in ("claim_post", "send", "complete_post")
            for when in ("before it", "after it")
        ]
        for day, (step, when) in enumerate(steps, 10):
            with monkeypatch.context() as patch:
                crash_at(patch, world, step, when == "after it")
                with pytest.raises(Crash):
                    await look(world, f"2026-11-{day} 09:00")
            await world.restart()
            await look(world, f"2026-11-{day} 09:05")
            await look(world, f"2026-11-{day} 09:06")
            assert len(dreams(world.channel)) == day - 9, (step, when)


LOOKS = st.lists(
    st.tuples(
        st.integers(-120, 16 * 60),  # minutes since the last look; a clock may be set back
        st.sampled_from(["claim_post", "send", "complete_post", "", "", "", ""]),  # where it crashes
        st.booleans(),  # before or after that
    ),
    min_size=4,
    max_size=14,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(looks=LOOKS, hour=st.integers(0, 23), start=st.sampled_from(["2026-03-27", "2026-10-23"]))
async def test_whatever_crashes_and_however_the_clock_jumps_each_due_day_has_one_bag(
    server, tmp_path, looks, hour, start
):
    for file in tmp_path.glob("bot.db*"):
        file.unlink()
    seen = []
    async with server() as world:
        await rule(world, cron=f"30 {hour} * * *")
        now = at(f"{start} 00:00").astimezone(UTC)
        for minutes, step, after in looks:
            now += timedelta(minutes=minutes)
            with pytest.MonkeyPatch.context() as patch, contextlib.suppress(Crash):
                if step:
                    crash_at(patch, world, step, after)
                await world.catch_up(world.app.daily, now)
                seen.append(now)  # it went well
        posted = dreams(world.channel)
    assert len(posted) == len(set(posted))
    first = date.fromisoformat(start)
    for day in (first + timedelta(days=n) for n in range(-1, 12)):
        due = datetime.combine(day, time(hour, 30), ZoneInfo(PARIS)).astimezone(UTC)
        if any(due <= moment <= due + timedelta(hours=12) for moment in seen):
            assert words.daily_title(day).removeprefix("Dream bag of ") in posted


async def test_the_look_back_sees_past_what_people_say(server, monkeypatch):
    async with server() as world:
        await rule(world)

        async def crash(*_):
            raise Crash

        with monkeypatch.context() as patch:
            patch.setattr(world.app.store, "complete_post", crash)
            with pytest.raises(Crash):
                await look(world, "2026-11-21 09:00")
        for number in range(120):
            world.env.backend.create_message(world.channel.id, world.ada.user.id, f"hello {number}")
        await look(world, "2026-11-21 15:00")
        assert len(dreams(world.channel)) == 1


async def test_a_refused_message_is_sent_at_a_later_look(server):
    async with server() as world:
        await rule(world)
        for day, status in enumerate((500, 429, 403), 20):
            world.env.inject_error("POST", "/channels/*/messages", status=status, times=None)
            await look(world, f"2026-11-{day} 09:00")
            assert len(dreams(world.channel)) == day - 20
            world.env.backend.faults.clear()
            await look(world, f"2026-11-{day} 09:01")
            await look(world, f"2026-11-{day} 09:02")
            assert len(dreams(world.channel)) == day - 19


async def test_a_server_without_a_usable_channel_keeps_no_other_waiting(server):
    async with server() as world:
        owner = world.ada.user
        silent, closed, other = (
            world.env.create_guild(name, owner=owner) for name in ("No Channel", "Forbidden", "Other")
        )
        no_entry = discord.PermissionOverwrite(send_messages=False)
        shut = closed.create_text_channel("bag-dreams", overwrites={closed.default_role: no_entry})
        open_channel = other.create_text_channel("bag-dreams")
        await world.env.settle()
        for guild in (silent, closed, other, world.guild):
            await rule(world, guild)
        await look(world, "2026-11-21 09:00")
        assert len(dreams(world.channel)) == len(dreams(open_channel)) == 1
        assert not dreams(shut)
        welcome = closed.create_text_channel("come-in")
        await world.app.guilds.set_up(closed.id, channel_id=welcome.id)
        late = silent.create_text_channel("bag-dreams")
        await world.env.settle()
        await look(world, "2026-11-21 11:00")
        assert [len(dreams(place)) for place in (world.channel, open_channel, welcome, late)] == [1, 1, 1, 1]


async def test_a_home_channel_deleted_in_mid_life_waits_for_another(server):
    async with server() as world:
        await rule(world)
        await look(world, "2026-11-20 09:00")
        await world.env.bot.get_channel(world.channel.id).delete()
        await look(world, "2026-11-21 09:00")
        new = world.guild.create_text_channel("bag-dreams")
        await world.env.settle()
        await look(world, "2026-11-21 09:01")
        assert dreams(new) == ["Saturday, 21 November 2026"]


async def test_without_a_generator_the_day_waits(server):
    async with server(generator=False) as world:
        await rule(world)
        await look(world, "2026-11-21 09:00")
        assert not dreams(world.channel)
        assert await world.app.store.post(world.guild.id, "dream", at("2026-11-21 09:00").date()) is None


async def test_who_picks_the_bag_may_say_how(server):
    async with server() as world:
        await rule(world)
        model = await world.app.studio.current()

        async def pick(guild_id, day, theme):
            assert guild_id == world.guild.id
            return Pick(Code.seeded(model.version, 7), f"I am fairly sure, this {day:%A}.")

        world.app.daily._taste = SimpleNamespace(pick=pick)
        await look(world, "2026-11-21 09:00")
        assert world.code.endswith("-7")
        assert "fairly sure, this Saturday" in world.last.content


async def test_the_schedule_posts_the_day_by_itself(server, monkeypatch):
    monkeypatch.setenv("BOT_DREAM_AT", "0 * * * *")
    monkeypatch.setattr("bot.schedule.POST_SECONDS", 0.2)
    async with server() as world:
        await until(lambda: dreams(world.channel))
