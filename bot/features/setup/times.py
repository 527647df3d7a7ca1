"""Times of day, weekdays and time zones as people type them; cron expressions as people read them."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import cache

from bot.cron import cron_trigger

DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
NEVER = {"never", "off", "no", "none", "-"}
_TIME = re.compile(r"([0-9]{1,2})(?:[:.h]([0-9]{2})?)? ?(am|pm)?(?: ?o'?clock)?")
_CRON = re.compile(r"([0-9]{1,2}) ([0-9]{1,2}) \* \* (\*|[a-z]{3})")
_OFFSET = re.compile(r"(?:utc|gmt|z)? ?([+\-−–±]) ?([0-9]{1,2})(?::?([0-9]{2}))?")
_ETC = re.compile(r"Etc/GMT([+-])([0-9]+)")
LONGEST_CRON = 64
"""Characters, as many as the store keeps."""

# What people say and the tz database does not; its cities are found without their continent.
_ALIASES = {
    "Africa/Johannesburg": "south africa,cape town,sast",
    "America/Argentina/Buenos_Aires": "argentina",
    "America/Chicago": "central,ct,cst,cdt,texas,dallas,houston,austin",
    "America/Denver": "mountain,mt,mst,mdt,utah,salt lake city",
    "America/Los_Angeles": "pacific,pt,pst,pdt,california,san francisco,seattle,la,las vegas",
    "America/New_York": "eastern,et,est,edt,nyc,boston,washington,miami,atlanta",
    "America/Sao_Paulo": "brazil,rio,rio de janeiro,brt",
    "America/Toronto": "ontario,ottawa",
    "Asia/Kolkata": "india,ist,mumbai,delhi,new delhi,bangalore,chennai",
    "Asia/Seoul": "korea,south korea,kst",
    "Asia/Shanghai": "china,beijing,shenzhen",
    "Asia/Tokyo": "jst,osaka,kyoto",
    "Australia/Sydney": "aest,aedt,canberra",
    "Europe/Berlin": "germany,cologne,hamburg,munich,frankfurt,cet,cest,met",
    "Europe/Istanbul": "turkey,ankara,istanbul",
    "Europe/Kyiv": "ukraine",
    "Europe/London": "uk,britain,england,scotland,bst",
    "Europe/Madrid": "spain,barcelona",
    "Europe/Paris": "france,lyon",
    "Europe/Rome": "italy,milan,florence",
    "Europe/Warsaw": "poland",
    "Europe/Zurich": "switzerland,bern,geneva",
    "Pacific/Auckland": "new zealand,nzst,nzdt,wellington",
    "UTC": "gmt,z,zulu",
}
COMMON = tuple(name for name in _ALIASES if name != "UTC")


def time_of_day(text: str) -> tuple[int, int]:
    """Hour and minute of "9", "9:30", "9 pm", "21h". Raises ValueError if it is no time."""
    match = _TIME.fullmatch(_plain(text))
    if match is None:
        raise ValueError(text)
    hour, minute, half = int(match[1]), int(match[2] or 0), match[3]
    if half and not 1 <= hour <= 12:
        raise ValueError(text)
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    if hour > 23 or minute > 59:
        raise ValueError(text)
    return hour, minute


def daily(text: str) -> str:
    """The cron expression of a time of day, or one as it is; empty for "never". Raises ValueError."""
    if _plain(text) in NEVER:
        return ""
    if len(text.split()) == 5:
        return _cron(text)
    hour, minute = time_of_day(text)
    return f"{minute} {hour} * * *"


def weekly(text: str) -> str:
    """The cron expression of a weekday and time, "sun 18", or one as it is; empty for "never".

    Raises ValueError.
    """
    plain = _plain(text)
    if plain in NEVER:
        return ""
    if len(text.split()) == 5:
        return _cron(text)
    named, _, time = plain.partition(" ")
    day = next((short for short, long in DAYS.items() if _names(named, long)), None)
    if day is None:
        raise ValueError(text)
    hour, minute = time_of_day(time)
    return f"{minute} {hour} * * {day}"


def clock(cron: str) -> str:
    """What one would type to get it: "09:30", "sun 18:00" or "never"; another expression as it is."""
    match = _CRON.fullmatch(cron)
    if match is None:
        return cron or "never"
    time = f"{int(match[2]):02d}:{int(match[1]):02d}"
    return time if match[3] == "*" else f"{match[3]} {time}"


def spoken(cron: str) -> str:
    """A cron expression in a sentence: "every day at 09:30", "Sundays at 18:00"."""
    match = _CRON.fullmatch(cron)
    if match is None:
        return f"by `{cron}`" if cron else "never"
    time = f"{int(match[2]):02d}:{int(match[1]):02d}"
    return f"every day at {time}" if match[3] == "*" else f"{DAYS.get(match[3], match[3])}s at {time}"


@cache
def zones() -> dict[str, str]:
    """Every way to name a time zone, in small letters, and the IANA name. The first call reads the disk."""
    names = sorted(zoneinfo.available_timezones() - {"Factory", "localtime"})
    # "GMT+2" is no city: the database means by Etc/GMT+2 what everybody else calls UTC-2.
    places = [name for name in reversed(names) if not _ETC.fullmatch(name)]
    by_city = {name.rpartition("/")[2].lower().replace("_", " "): name for name in places}
    exact = {name.lower(): name for name in names}
    aliases = {alias: name for name, said in _ALIASES.items() for alias in said.split(",")}
    return by_city | exact | {alias: name for alias, name in aliases.items() if name in names}


def zone(text: str) -> str:
    """The IANA name of a time zone as somebody names it: "paris", "UTC+2", "+05:30" (east is +).

    Raises ValueError if there is none.
    """
    plain = _plain(text)
    offset = _offset(plain)
    if offset is not None and (names := _zones_at(offset)[0]):
        return names[0]
    for name in (plain, plain.replace(" ", "_"), plain.replace("_", " ")):
        if name in zones():
            return zones()[name]
    raise ValueError(text)


def shown_zone(name: str) -> str:
    """An IANA name as people write it: "UTC+2" for Etc/GMT-2."""
    match = _ETC.fullmatch(name)
    if match is None:
        return name
    return "UTC" if match[2] == "0" else f"UTC{'-' if match[1] == '+' else '+'}{match[2]}"


def near(text: str, limit: int) -> list[str]:
    """Zones that somebody may have meant, the likeliest first; well-known ones for an empty text."""
    plain = _plain(text).replace("_", " ")
    if not plain:
        return list(COMMON[:limit])
    offset = _offset(plain)
    if offset is not None:
        always, sometimes = _zones_at(offset)
        return list(map(shown_zone, [*always[:1], *sometimes]))[:limit]
    known = {name.replace("_", " "): shown_zone(iana) for name, iana in zones().items()}
    begins = sorted(shown for name, shown in known.items() if name.startswith(plain))
    within = sorted(shown for name, shown in known.items() if plain in name)
    alike = (known[name] for name in difflib.get_close_matches(plain, known, limit, 0.75))
    return list(dict.fromkeys([*begins, *within, *alike]))[:limit]


def _offset(plain: str) -> timedelta | None:
    """How far ahead of UTC the clocks are, as people write it; None if it is no such thing."""
    match = _OFFSET.fullmatch(plain)
    if match is None or int(match[3] or 0) > 59:
        return None
    ahead = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return -ahead if match[1] in "-−–" else ahead


@cache
def _zones_at(offset: timedelta) -> tuple[list[str], list[str]]:
    """The zones with this offset all year, those that are no place first, and those with it at times."""
    always, sometimes = [], []
    year = datetime.now(UTC).year
    names = sorted(set(zones().values()), key=lambda name: (not _ETC.match(name), name not in _ALIASES, name))
    for name in ["UTC", *names]:
        tz = zoneinfo.ZoneInfo(name)
        offsets = {datetime(year, month, 1, tzinfo=tz).utcoffset() for month in range(1, 13)}
        if offsets == {offset}:
            always.append(name)
        elif offset in offsets:
            sometimes.append(name)
    return always, sometimes


def _cron(text: str) -> str:
    expression = " ".join(text.lower().split())
    if len(expression) > LONGEST_CRON:
        raise ValueError(text)
    cron_trigger(expression, zoneinfo.ZoneInfo("UTC"))
    return expression


def _names(said: str, day: str) -> bool:
    return len(said) >= 2 and day.lower().startswith(said.removesuffix("s") if len(said) > 3 else said)


def _plain(text: str) -> str:
    # Nobody's time or zone is longer, and comparing a whole book with every zone takes a while.
    return " ".join(text[:64].lower().split())
