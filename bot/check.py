"""`python -m bot check`: what works and what does not, a line each, and how to mend it."""

from __future__ import annotations

import asyncio
import json
import os
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
from bot.app import House
from bot.client import permissions
from bot.client.bot import named_channel
from bot.cron import moments
from bot.drawing.studio import Studio
from bot.drawing.workers import Easel
from bot.errors import Refusal
from bot.guilds import Guilds, Rules
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
    """One thing that works, or a way to mend it."""

    good: bool
    what: str
    text: str


async def findings(house: House, token: str | None, easel: Easel) -> AsyncIterator[Finding]:
    """Look at everything, and draw on the easel.

    What is wrong is found and not raised. No secret is in a finding.
    """
    try:
        store = Store(house.bot.store)
    except (SQLAlchemyError, ImportError) as error:
        yield Finding(False, "store", words.check_no_engine(str(error)))
        return
    guilds = Guilds(store, house.bot)
    try:
        about_store = await _store(store)
        if about_store.good and await store.revision() is not None:
            await guilds.load()
        if token is None:
            yield Finding(True, "token", words.CHECK_DEMO)
        else:
            async for finding in discord_findings(token, guilds):
                yield finding
        yield about_store
        yield await _generator(house, store, easel)
    finally:
        await store.close()
    datasets = list(_dataset(house))
    shops = _shops(house, learns=all(finding.good for finding in datasets))
    for finding in (*datasets, shops, _schedule(house, guilds.rules(0)), *_disks(house)):
        yield finding


async def discord_findings(token: str, guilds: Guilds) -> AsyncIterator[Finding]:
    """Ask Discord about the token, the application's intents and its servers."""
    if token.count(".") != 2:
        yield Finding(False, "token", words.CHECK_NO_SHAPE)
        return
    async with discord.Client(intents=discord.Intents.none()) as client:
        try:
            async with asyncio.timeout(PATIENCE):
                await client.login(token)
        except discord.LoginFailure:
            yield Finding(False, "token", words.CHECK_REFUSED)
            return
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:  # a TimeoutError is an OSError
            reason = getattr(error, "strerror", None) or type(error).__name__
            yield Finding(False, "discord", words.check_unreachable(reason))
            return
        except (TypeError, KeyError):  # somebody else's page, such as a hotel's
            yield Finding(False, "discord", words.check_unreachable("somebody else answers"))
            return
        yield Finding(True, "token", words.check_accepted(str(client.user)))
        async for finding in client_findings(client, guilds):
            yield finding


async def client_findings(client: discord.Client, guilds: Guilds) -> AsyncIterator[Finding]:
    """The same with a client that has logged in."""
    flags = client.application.flags if client.application else discord.ApplicationFlags()
    reads = flags.gateway_message_content or flags.gateway_message_content_limited
    yield Finding(reads, "intents", words.CHECK_INTENT if reads else words.CHECK_NO_INTENT)
    try:
        async with asyncio.timeout(PATIENCE):
            found = [guild async for guild in client.fetch_guilds(limit=200)]
        for guild in found[:SERVERS]:
            async with asyncio.timeout(PATIENCE):
                finding = await _guild(client, guild.id, guilds.rules(guild.id))
            yield finding
    except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
        yield Finding(False, "servers", words.check_unreachable(type(error).__name__))
        return
    if not found:
        allowed = discord.Permissions(**dict.fromkeys(permissions.HOME, True))
        url = discord.utils.oauth_url(client.application_id or 0, permissions=allowed)
        yield Finding(False, "servers", words.check_no_server(url))
    elif len(found) > SERVERS:
        yield Finding(True, "servers", words.check_more_servers(len(found) - SERVERS))


async def _guild(client: discord.Client, guild_id: int, rules: Rules) -> Finding:
    guild = await client.fetch_guild(guild_id, with_counts=False)
    channels = [
        channel for channel in await guild.fetch_channels() if isinstance(channel, discord.TextChannel)
    ]
    me = await guild.fetch_member(client.user.id if client.user else 0)
    home, hall = named_channel(channels, rules.channel), named_channel(channels, rules.hall)
    if home is None:
        return Finding(rules.silent, "server", words.check_no_home(guild.name, rules.channel, rules.silent))
    for channel, needed in ((home, permissions.HOME), (hall, permissions.SHOW)):
        lacks = permissions.lacking_in(channel, me, needed) if channel else []
        if channel and lacks:
            return Finding(False, "server", words.check_lacks(guild.name, channel.name, lacks))
    times = _next({"dream bag": rules.dream_at, "week's best": rules.best_at}, rules.zone)
    return Finding(
        True,
        "server",
        words.check_server(guild.name, home.name, hall.name if hall else None, times, rules.timezone),
    )


async def _store(store: Store) -> Finding:
    where = store.engine.url.render_as_string(hide_password=True)
    try:
        revision = await store.revision()
    except (SQLAlchemyError, OSError) as error:
        reason = str(getattr(error, "orig", error)) or type(error).__name__
        return Finding(False, "store", words.check_store_down(where, reason))
    if revision is None:
        return Finding(True, "store", words.check_store_new(where))
    known = store.revisions()
    if revision not in known:
        return Finding(False, "store", words.check_store_newer(where))
    return Finding(True, "store", words.check_store(where, revision == known[0]))


async def _generator(house: House, store: Store, easel: Easel) -> Finding:
    settings = house.bot
    try:
        studio = Studio(easel, store, house.gan.runs, settings.generators, settings.generators_kept)
        model = await studio.current()
        await studio.warm_up()
        begun = time.perf_counter()
        code = codes.fresh(model.version)
        await studio.picture(code)
        seconds = time.perf_counter() - begun
    except Refusal as refusal:
        return Finding(False, "generator", str(refusal))
    except OSError as error:
        return Finding(False, "generator", words.check_unreadable(str(error.filename), error.strerror or ""))
    return Finding(True, "generator", words.check_generator(str(code), model.epoch, seconds))


def _dataset(house: House) -> Iterator[Finding]:
    manifest = house.gan.dataset / "manifest.json"
    if house.gan.dataset.absolute() != house.scraper.dataset.absolute():
        yield Finding(False, "dataset", words.CHECK_TWO_DATASETS)
    try:
        about = json.loads(manifest.read_text("utf-8"))
        days = (time.time() - manifest.stat().st_mtime) / DAY
        yield Finding(
            about["count"] > 0, "dataset", words.check_dataset(about["count"], about["image_size"], days)
        )
    except FileNotFoundError:
        yield Finding(False, "dataset", words.check_no_dataset(str(house.gan.dataset)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield Finding(False, "dataset", words.check_unreadable(str(manifest), str(error)))


def _shops(house: House, learns: bool) -> Finding:
    shops = house.scraper.shops
    strangers = any(not ssrf_guard.local(host) for shop in shops.values() for host in shop.hosts())
    good = (bool(house.scraper.contact) or not strangers) if shops else learns
    return Finding(good, "shops", words.check_shops(list(shops), good))


def _schedule(house: House, rules: Rules) -> Finding:
    settings = house.bot
    jobs = {
        "dream bag": rules.dream_at,
        "week's best": rules.best_at,
        "scrape": settings.scrape_at if house.scraper.shops else "",
        "train": settings.train_at,
    }
    return Finding(True, "schedule", words.check_schedule(_next(jobs, settings.zone), settings.timezone))


def _next(jobs: dict[str, str], zone: ZoneInfo) -> dict[str, datetime]:
    """The next time of each job that has one."""
    now = datetime.now(UTC)
    times = {name: next(moments(cron, zone, now), None) for name, cron in jobs.items()}
    return {name: found[1] for name, found in times.items() if found}


def _disks(house: House) -> Iterator[Finding]:
    """Every disk that is written to, once, and every folder that can't be written to."""
    folders = [
        house.scraper.folder,
        house.scraper.dataset,
        house.gan.runs,
        house.bot.favorites,
        house.bot.generators,
    ]
    seen = set[int]()
    for folder in folders:
        there = next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.exists())
        if not os.access(there, os.W_OK):
            yield Finding(False, "disk", words.check_unwritable(str(there)))
        if there.stat().st_dev not in seen:
            seen.add(there.stat().st_dev)
            free = shutil.disk_usage(there).free
            yield Finding(free >= ROOM, "disk", words.check_disk(str(there), free, ROOM))


def line(finding: Finding) -> str:
    """A finding as it is printed."""
    return f"{'✓' if finding.good else '✗'} {finding.what:<10} {finding.text}"
