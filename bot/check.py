"""`python -m bot check`: what works and what does not, a line each, and how to fix it."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import aiohttp
import discord
from sqlalchemy.exc import SQLAlchemyError

from bot import codes, words
from bot.client import permissions
from bot.client.bot import channel_name, named_channel
from bot.cron import moments
from bot.drawing.generators import Generators
from bot.drawing.studio import Studio
from bot.drawing.workers import DrawingPool
from bot.errors import Refusal
from bot.features.setup.times import shown_zone
from bot.formats import counted, printable, short
from bot.guilds import Guilds, Rules
from bot.settings import Config, nearest, unusable
from bot.store.store import Store
from scraper import ssrf_guard

PATIENCE = 30.0
"""Seconds for Discord to answer."""
SERVERS = 20
"""Servers that are looked at; each costs three requests."""
ROOM = 2**30
"""Free bytes on a disk below which a run and its generators may not fit."""
DAY = 86400


@dataclass(frozen=True)
class Finding:
    """One thing that works, or a way to fix it."""

    good: bool
    what: str
    text: str


async def findings(config: Config, token: str | None, pool: DrawingPool) -> AsyncIterator[Finding]:
    """Look at everything, and draw on the pool.

    What is wrong is found and not raised. No secret is in a finding.
    """
    try:
        store = Store(config.bot.store)
    except (SQLAlchemyError, ImportError) as error:
        yield Finding(False, "store", f"`store` in config.toml does not work here ({short(str(error), 120)})")
        return
    guilds = Guilds(store, config.bot)
    try:
        about_store = await _store(store)
        if about_store.good and await store.revision() is not None:
            await guilds.load()
        if token is None:
            yield Finding(True, "token", "none in DISCORD_TOKEN or .env: `make run` starts the demo")
        else:
            async for finding in discord_findings(token, guilds):
                yield finding
        yield about_store
        yield await _generator(config, store, pool)
    finally:
        await store.close()
    datasets = list(_dataset(config))
    shops = _shops(config, learns=all(finding.good for finding in datasets))
    for finding in (*datasets, shops, _schedule(config, guilds.rules(0)), *_disks(config)):
        yield finding


async def discord_findings(token: str, guilds: Guilds) -> AsyncIterator[Finding]:
    """Ask Discord about the token, the application's intents and its servers."""
    if token.count(".") != 2:
        yield Finding(False, "token", words.WRONG_SHAPE)
        return
    async with discord.Client(intents=discord.Intents.none()) as client:
        try:
            async with asyncio.timeout(PATIENCE):
                await client.login(token)
        except discord.LoginFailure:
            yield Finding(False, "token", f"Discord refuses it. {words.RESET_IN_PORTAL}")
            return
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            reason = getattr(error, "strerror", None) or type(error).__name__
            yield Finding(False, "discord", _unreachable(reason))
            return
        except (TypeError, KeyError):  # somebody else's page, such as a hotel's
            yield Finding(False, "discord", _unreachable("somebody else answers"))
            return
        yield Finding(True, "token", f"accepted: I am {printable(str(client.user))}")
        async for finding in client_findings(client, guilds):
            yield finding


async def client_findings(client: discord.Client, guilds: Guilds) -> AsyncIterator[Finding]:
    """The same with a client that has logged in."""
    flags = client.application.flags if client.application else discord.ApplicationFlags()
    reads = flags.gateway_message_content or flags.gateway_message_content_limited
    works = words.typed("I may read messages, so `!bag` works", guilds.prefix)
    yield Finding(reads, "intents", works if reads else words.INTENT_OFF)
    try:
        async with asyncio.timeout(PATIENCE):
            found = [guild async for guild in client.fetch_guilds(limit=200)]
        for guild in found[:SERVERS]:
            async with asyncio.timeout(PATIENCE):
                finding = await _guild(client, guild.id, guilds)
            yield finding
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        yield Finding(False, "servers", _unreachable(type(error).__name__))
        return
    if not found:
        allowed = discord.Permissions(**dict.fromkeys(permissions.HOME, True))
        url = discord.utils.oauth_url(client.application_id or 0, permissions=allowed)
        yield Finding(False, "servers", f"I am in none. Invite me: {url}")
    elif len(found) > SERVERS:
        yield Finding(True, "servers", f"{len(found) - SERVERS:,} more, which I did not check")


async def _guild(client: discord.Client, guild_id: int, guilds: Guilds) -> Finding:
    rules = guilds.rules(guild_id)
    guild = await client.fetch_guild(guild_id, with_counts=False)
    channels = [
        channel for channel in await guild.fetch_channels() if isinstance(channel, discord.TextChannel)
    ]
    me = await guild.fetch_member(client.user.id if client.user else 0)
    name = printable(guild.name)
    home, hall = (
        named_channel(channels, named, me, guilds.kept(guild_id, named))
        for named in (rules.channel, rules.hall)
    )
    if home is None:
        return Finding(rules.silent, "server", f"{name}: {words.typed(_no_home(rules), guilds.prefix)}")
    for channel, needed in ((home, permissions.HOME), (hall, permissions.SHOW)):
        lacks = permissions.lacking_in(channel, me, needed) if channel else []
        if channel and lacks:
            names = words.permission_names(lacks)
            return Finding(
                False,
                "server",
                f"{name}: in #{printable(channel.name)} I lack {names}: give them to my role there",
            )
    times = _next({"dream bag": rules.dream_at, "week's best": rules.best_at}, rules.zone)
    shown = f", hall of fame #{printable(hall.name)}" if hall else ""
    return Finding(
        True,
        "server",
        f"{name}: home #{printable(home.name)}{shown}; {_listed(times, shown_zone(rules.timezone))}",
    )


async def _store(store: Store) -> Finding:
    where = store.engine.url.render_as_string(hide_password=True)
    known = store.revisions()
    try:
        revision = await store.revision()
        if revision is None:
            return Finding(True, "store", f"{where}, created at the first start")
        damage = await store.damage() if revision == known[0] else None
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", error)) or type(error).__name__
        return Finding(
            False, "store", f"{where} can't be reached ({short(reason, 120)}): check `store` in config.toml"
        )
    if revision not in known:
        return Finding(False, "store", f"{where} {words.STORE_IS_NEWER}")
    if damage:
        return Finding(False, "store", f"{where} is damaged ({short(damage, 120)}): restore a backup")
    return Finding(
        True, "store", f"{where}, {'up to date' if revision == known[0] else 'upgraded at the next start'}"
    )


async def _generator(config: Config, store: Store, pool: DrawingPool) -> Finding:
    settings = config.bot
    try:
        generators = Generators(config.gan.runs, settings.generators, settings.generators_kept)
        studio = Studio(pool, store, generators)
        model = await studio.current()
        await studio.warm_up()
        begun = time.perf_counter()
        code = codes.fresh(model.version)
        await studio.picture(code)
        seconds = time.perf_counter() - begun
    except Refusal as refusal:
        return Finding(False, "generator", words.typed(str(refusal), settings.prefix))
    except OSError as error:
        return Finding(False, "generator", _unreadable(error.filename, error.strerror or ""))
    return Finding(True, "generator", f"after epoch {model.epoch}; drew {code} in {seconds:.2f} s")


def _dataset(config: Config) -> Iterator[Finding]:
    manifest = config.gan.dataset / "manifest.json"
    if config.gan.dataset.absolute() != config.scraper.dataset.absolute():
        yield Finding(
            False, "dataset", "[gan] dataset is not what [scraper] builds: set both to the same folder"
        )
    try:
        about = json.loads(manifest.read_text("utf-8"))
        days = (time.time() - manifest.stat().st_mtime) / DAY
        yield Finding(
            about["count"] > 0,
            "dataset",
            f"{about['count']:,} pictures of {about['image_size']} × {about['image_size']}, "
            + ("built today" if days < 1 else f"built {counted(round(days), 'day')} ago"),
        )
    except FileNotFoundError:
        yield Finding(
            False,
            "dataset",
            f"none at {config.gan.dataset}: `python -m scraper collect` (or `import FOLDER`), "
            "then `python -m scraper build`",
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        yield Finding(False, "dataset", _unreadable(manifest, str(error)))


def _shops(config: Config, learns: bool) -> Finding:
    shops = config.scraper.shops
    strangers = any(not ssrf_guard.local(host) for shop in shops.values() for host in shop.hosts())
    good = (bool(config.scraper.contact) or not strangers) if shops else learns
    if shops:
        listed = ", ".join(shops)
        text = listed if good else f"{listed}: set [scraper] contact, so that they can reach you"
    elif good:
        text = "none: I learn from the pictures that were imported"
    else:
        text = "none: import your own pictures, or add a table [scraper.shops.NAME] to config.toml"
    return Finding(good, "shops", text)


def _schedule(config: Config, rules: Rules) -> Finding:
    settings = config.bot
    jobs = {
        "dream bag": rules.dream_at,
        "week's best": rules.best_at,
        "scrape": settings.scrape_at if config.scraper.shops else "",
        "train": settings.train_at,
    }
    return Finding(True, "schedule", _listed(_next(jobs, settings.zone), settings.timezone))


def _next(jobs: dict[str, str], zone: ZoneInfo) -> dict[str, datetime]:
    """The next time of each job that has one."""
    now = datetime.now(UTC)
    times = {name: next(moments(cron, zone, now), None) for name, cron in jobs.items()}
    return {name: found[1] for name, found in times.items() if found}


def _disks(config: Config) -> Iterator[Finding]:
    """Every folder that can't be used, and the room on every disk, once."""
    seen = set[int]()
    for key, folder, written in config.folders():
        if trouble := unusable(folder, written):
            yield Finding(False, "disk", f"{key} = {str(folder)!r}: {trouble}")
            continue
        there = nearest(folder)
        if there.stat().st_dev not in seen:
            seen.add(there.stat().st_dev)
            free = shutil.disk_usage(there).free
            yield Finding(
                free >= ROOM,
                "disk",
                f"{free / 2**30:.1f} GiB free at {there}"
                + ("" if free >= ROOM else f": free up space, a run may need {ROOM / 2**30:.0f} GiB"),
            )


def _no_home(rules: Rules) -> str:
    if rules.silent:
        return "no home channel, as was chosen there: I post nothing on my own"
    gone = (
        "the home channel is gone"
        if rules.channel.isdigit()
        else f"there is no channel #{channel_name(rules.channel)}"
    )
    return f"{gone}, so I post nothing on my own: `!bag setup` there gives me a home"


def _listed(times: dict[str, datetime], zone: str) -> str:
    """What happens next, and when, soonest first."""
    if not times:
        return "nothing is scheduled"
    soonest = sorted(times.items(), key=lambda entry: entry[1])
    return " · ".join(f"{name} {at:%a} {at.day} {at:%b %H:%M}" for name, at in soonest) + f" ({zone})"


def _unreachable(reason: str) -> str:
    return f"Discord can't be reached ({short(reason, 120)}): check the network, then try again"


def _unreadable(path: object, reason: str) -> str:
    return f"{path} can't be read ({short(reason, 120)})"


def line(finding: Finding) -> str:
    """A finding as it is printed."""
    return f"{'✓' if finding.good else '✗'} {finding.what:<10} {finding.text}"
