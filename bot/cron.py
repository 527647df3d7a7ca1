"""When a cron expression is due in a time zone whose clocks jump forward in spring and back in autumn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

LONGEST_WAIT = timedelta(days=40 * 366)
"""A leap day falls on each weekday within 40 years, also across 2100: what is not due by then never is."""
_JUMP = timedelta(hours=1)
# Crontab's Sunday is 0 or 7, while APScheduler counts from Monday. Names mean the same to both.
_WEEKDAYS = dict(zip("01234567", ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"), strict=True))


def cron_trigger(expression: str, timezone: ZoneInfo) -> CronTrigger:
    """The trigger of a five-field cron expression in a time zone.

    Raises ValueError if it is invalid, or if no day can be meant, such as 30 February.
    """
    trigger = _parsed(expression, timezone)
    if _due_day(expression, date(2000, 1, 1)) is None:
        raise ValueError(f"{expression} is never due: no month has such a day")
    return trigger


def moments(cron: str, zone: ZoneInfo, start: datetime) -> Iterator[tuple[date, datetime]]:
    """The local dates and moments, aware, at which the expression is due from `start` on; "" is never.

    A time that is skipped in spring is due right after the gap (02:30 at 03:30); a time that is repeated in
    autumn is due once, the first time.
    """
    if not cron:
        return
    day = _due_day(cron, (_wall(start, zone) - _JUMP).date())
    while day is not None:
        yield from ((day, moment) for moment in _moments_of(cron, zone, day, start))
        day = _due_day(cron, day + timedelta(days=1))


def due_days(cron: str, zone: ZoneInfo, now: datetime, late: timedelta) -> list[date]:
    """The local dates on which the expression was due at most `late` before `now` (aware), oldest first."""
    if not cron:
        return []
    oldest, days = now - late, list[date]()
    day = oldest.astimezone(zone).date() - timedelta(days=1)
    while day <= now.astimezone(zone).date():
        if _is_due(cron, day):
            start = max(oldest, datetime.combine(day, time(), zone))
            first = next(_moments_of(cron, zone, day, start), None)
            if first is not None and first <= now:
                days.append(day)
        day += timedelta(days=1)
    return days


class LocalCron(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """`moments` as a trigger. APScheduler's own fires twice when an hour is repeated in autumn."""

    def __init__(self, cron: str, zone: ZoneInfo) -> None:
        self._cron = cron
        self._zone = zone

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """The first moment from `now` on and after `previous`."""
        after = max(now, previous + timedelta(microseconds=1)) if previous else now
        return next((moment for _, moment in moments(self._cron, self._zone, after)), None)


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks of a zone show, as a time in UTC, whose clocks never jump."""
    return moment.astimezone(zone).replace(tzinfo=UTC, fold=0)


def _moments_of(cron: str, zone: ZoneInfo, day: date, start: datetime) -> Iterator[datetime]:
    """The moments, aware, of a day on which the expression is due, from `start` on."""
    clock, floor = _clock(cron), start.astimezone(UTC)
    begin = max(datetime.combine(day, time(), UTC), _wall(start, zone) - _JUMP)
    wall = clock.get_next_fire_time(None, begin)
    while wall is not None and wall.date() == day:
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
        if moment >= floor:
            yield moment.astimezone(zone)
        wall = clock.get_next_fire_time(wall, wall)


@lru_cache(maxsize=1024)
def _due_day(cron: str, day: date) -> date | None:
    """The first day from this one on on which the expression is due; None if it never is.

    Months are skipped whole: APScheduler's own search takes seconds to find a rare day, and never ends early.
    """
    month, last = _calendar(cron)["month"], day + LONGEST_WAIT
    while day <= last:
        if not _matches(month, day):
            day = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
        elif _is_due(cron, day):
            return day
        else:
            day += timedelta(days=1)
    return None


def _is_due(cron: str, day: date) -> bool:
    return all(_matches(field, day) for field in _calendar(cron).values())


def _matches(field: Any, day: date) -> bool:
    at = datetime.combine(day, time(), UTC)
    return bool(field.get_next_value(at) == field.get_value(at))


@lru_cache(maxsize=256)
def _calendar(cron: str) -> dict[str, Any]:
    """APScheduler's fields for the date."""
    fields = {field.name: field for field in _parsed(cron, ZoneInfo("UTC")).fields}
    return {name: fields[name] for name in ("month", "day", "day_of_week")}


@lru_cache(maxsize=256)
def _clock(cron: str) -> CronTrigger:
    """The times of day, every day."""
    minute, hour, *_ = cron.split()
    return CronTrigger(minute=minute, hour=hour, timezone=ZoneInfo("UTC"))


def _parsed(expression: str, timezone: ZoneInfo) -> CronTrigger:
    fields = expression.split()
    if len(fields) == 5:
        fields[4] = "".join(_WEEKDAYS.get(character, character) for character in fields[4])
    return CronTrigger.from_crontab(" ".join(fields), timezone=timezone)
