"""When a cron expression is due in a time zone whose clocks jump forward in spring and back in autumn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

_JUMP = timedelta(hours=1)
# Crontab's Sunday is 0 or 7, while APScheduler counts from Monday. Names mean the same to both.
_WEEKDAYS = dict(zip("01234567", ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"), strict=True))


def cron_trigger(expression: str, timezone: ZoneInfo) -> CronTrigger:
    """The trigger of a five-field cron expression in a time zone. Raises ValueError if it is invalid."""
    fields = expression.split()
    if len(fields) == 5:
        fields[4] = "".join(_WEEKDAYS.get(character, character) for character in fields[4])
    return CronTrigger.from_crontab(" ".join(fields), timezone=timezone)


def moments(cron: str, zone: ZoneInfo, start: datetime) -> Iterator[tuple[date, datetime]]:
    """The local dates and moments, aware, at which the expression is due from `start` on; "" is never.

    A time that is skipped in spring is due right after the gap (02:30 at 03:30); a time that is repeated in
    autumn is due once, the first time.
    """
    if not cron:
        return
    trigger, floor = _by_wall_clock(cron), start.astimezone(UTC)
    wall = trigger.get_next_fire_time(None, start.astimezone(zone).replace(tzinfo=UTC, fold=0) - _JUMP)
    while wall is not None:
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
        if moment >= floor:
            yield wall.date(), moment.astimezone(zone)
        wall = trigger.get_next_fire_time(wall, wall)


def due_days(cron: str, zone: ZoneInfo, now: datetime, late: timedelta) -> list[date]:
    """The local dates on which the expression was due at most `late` before `now` (aware), oldest first."""
    oldest, days = now - late, list[date]()
    day = oldest.astimezone(zone).date() - timedelta(days=1)
    while day <= now.astimezone(zone).date():
        for on, moment in moments(cron, zone, max(oldest, datetime.combine(day, time(), zone))):
            if on >= day:
                if on == day and moment <= now:
                    days.append(day)
                break
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


@lru_cache(maxsize=256)
def _by_wall_clock(cron: str) -> CronTrigger:
    # Computed in UTC, whose clocks never jump; `moments` applies the jumps of the zone afterwards.
    return cron_trigger(cron, ZoneInfo("UTC"))
