"""When a cron expression is due by clocks that jump."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cron import LocalCron, cron_trigger, due_days, moments
from bot.schedule import build_schedule
from bot.settings import load_config
from gan.toml_settings import SettingsError

PARIS = ZoneInfo("Europe/Paris")
TWELVE = timedelta(hours=12)


def at(text, zone=PARIS):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("cron", "now", "days"),
    [
        ("0 9 * * *", "2026-11-21 08:59", []),
        ("0 9 * * *", "2026-11-21 09:00", ["2026-11-21"]),
        ("0 9 * * *", "2026-11-21 21:00", ["2026-11-21"]),
        ("0 9 * * *", "2026-11-21 21:01", []),
        ("0 23 * * *", "2026-11-22 01:00", ["2026-11-21"]),
        ("0 0 * * *", "2026-11-22 00:00", ["2026-11-22"]),
        ("0 0,12 * * *", "2026-11-22 12:00", ["2026-11-22"]),
        ("* * * * *", "2026-11-22 00:00", ["2026-11-21", "2026-11-22"]),
        ("0 9 * * sat", "2026-11-20 10:00", []),
        ("0 9 * * 6", "2026-11-21 10:00", ["2026-11-21"]),
        ("0 9 1 * *", "2026-11-21 10:00", []),
        # The day when clocks go forward at 02:00, and the one when they go back at 03:00.
        ("0 9 * * *", "2026-03-29 08:59", []),
        ("0 9 * * *", "2026-03-29 09:00", ["2026-03-29"]),
        ("0 9 * * *", "2026-10-25 08:59", []),
        ("0 9 * * *", "2026-10-25 09:00", ["2026-10-25"]),
        ("30 2 * * *", "2026-03-29 03:29", []),
        ("30 2 * * *", "2026-03-29 03:30", ["2026-03-29"]),
        ("0 14 * * *", "2026-03-29 01:59", ["2026-03-28"]),
        ("", "2026-11-21 09:00", []),
    ],
)
def test_on_which_days_it_was_due_in_the_last_twelve_hours(cron, now, days):
    assert due_days(cron, PARIS, at(now), TWELVE) == [date.fromisoformat(day) for day in days]


def test_an_hour_that_autumn_repeats_is_due_once_and_at_its_first_round():
    found = [moment for _, moment in islice(moments("30 2 * * *", PARIS, at("2026-10-24 12:00")), 2)]
    assert [moment.astimezone(UTC).isoformat() for moment in found] == [
        "2026-10-25T00:30:00+00:00",
        "2026-10-26T01:30:00+00:00",
    ]


def test_the_nights_work_begins_once_a_night_whatever_the_clocks_do():
    trigger, fired = LocalCron("30 2 * * *", PARIS), []
    now, previous = at("2026-03-27 12:00").astimezone(UTC), None
    while len(fired) < 365:
        previous = trigger.get_next_fire_time(previous, now)
        now = previous.astimezone(UTC) + timedelta(seconds=1)
        fired.append(previous.date())
    assert fired == [date(2026, 3, 28) + timedelta(days=n) for n in range(365)]


NEVER_DUE = ["0 9 30 2 *", "0 9 31 4,6,9,11 *", "0 9 30,31 feb mon", "* * 31 2 *"]


@pytest.fixture
def few_steps(monkeypatch):
    """APScheduler goes from one day or month to the next a few times at most; a search takes thousands."""
    steps = []

    def step(self, *values, original=CronTrigger._increment_field_value):
        steps.append(values)
        assert len(steps) < 100
        return original(self, *values)

    monkeypatch.setattr(CronTrigger, "_increment_field_value", step)


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize("cron", NEVER_DUE)
def test_what_can_never_be_due_is_refused_and_costs_nothing_where_it_is_set_already(
    cron, monkeypatch, tmp_path
):
    with pytest.raises(ValueError, match="never due"):
        cron_trigger(cron, PARIS)
    for key in ("DREAM_AT", "BEST_AT", "SCRAPE_AT", "TRAIN_AT"):
        with monkeypatch.context() as patch:
            patch.setenv(f"BOT_{key}", cron)
            with pytest.raises(SettingsError, match=f"BOT_{key}"):
                load_config(tmp_path / "config.toml")
    now = at("2026-11-21 12:00")
    assert list(moments(cron, PARIS, now)) == []
    assert due_days(cron, PARIS, now, TWELVE) == []
    assert LocalCron(cron, PARIS).get_next_fire_time(None, now) is None


@pytest.mark.usefixtures("few_steps")
@pytest.mark.parametrize(
    ("cron", "now", "day"),
    [
        ("0 9 29 2 *", "2026-11-21 12:00", "2028-02-29"),
        ("0 9 29 2 mon", "2026-11-21 12:00", "2044-02-29"),
        ("0 9 29 2 mon", "2072-03-02 12:00", "2112-02-29"),  # 2100 has no leap day
        ("0 9 last 2 *", "2026-11-21 12:00", "2027-02-28"),
        ("0 9 31 1-4 sun", "2026-11-21 12:00", "2027-01-31"),
    ],
)
def test_a_rare_day_is_found_at_once(cron, now, day):
    cron_trigger(cron, PARIS)
    (on, moment) = next(moments(cron, PARIS, at(now)))
    assert str(on) == day
    assert moment == at(f"{day} 09:00")
    assert due_days(cron, PARIS, at(now), TWELVE) == []
    assert due_days(cron, PARIS, moment, TWELVE) == [on]
    assert LocalCron(cron, PARIS).get_next_fire_time(None, at(now)) == moment


ZONES = [
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Scoresbysund",
    "Asia/Gaza",
]


@settings(max_examples=30, deadline=None)
@given(
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 1), timezones=st.just(UTC)),
    step=st.integers(200, 11 * 60),
)
def test_whoever_looks_at_least_every_twelve_hours_sees_every_date_in_turn(zone, hour, minute, start, step):
    seen, now = [], start
    while now < start + timedelta(days=6):
        seen += [day for day in due_days(f"{minute} {hour} * * *", zone, now, TWELVE) if day not in seen]
        now += timedelta(minutes=step)
    assert seen == [seen[0] + timedelta(days=n) for n in range(len(seen))]
    assert len(seen) >= 5


@pytest.mark.parametrize("zone", ["Nowhere/Land", ":/etc/nothing", "EST5EDT,what", ""])
async def test_no_job_asks_the_machine_for_its_zone(server, monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    async with server() as world:
        app = world.app
        schedule = build_schedule(
            app.config.bot, app.store, app.studio, app.trainer, app.scraper, [app.daily]
        )
        assert {job.id for job in schedule.get_jobs()} == {"dream", "prune"}
        assert {str(job.trigger.timezone) for job in schedule.get_jobs()} == {"UTC"}


async def test_scrape_and_train_begin_by_the_config_and_an_empty_line_is_never(server, monkeypatch):
    monkeypatch.setenv("BOT_TIMEZONE", "Europe/Paris")
    monkeypatch.setenv("BOT_TRAIN_AT", "0 3 * * *")
    async with server() as world:
        app = world.app
        schedule = build_schedule(app.config.bot, app.store, app.studio, app.trainer, app.scraper, [])
        jobs = {job.id: job.trigger for job in schedule.get_jobs()}
        assert "scrape" not in jobs
        fires = jobs["train"].get_next_fire_time(None, at("2026-11-21 12:00"))
        assert fires == at("2026-11-22 03:00")
