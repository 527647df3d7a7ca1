"""A week of a server with fifty members: daily bags, two runs, votes, rounds, a restart a day and crashes."""

import itertools
import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import discord
import pytest
from sqlalchemy import text

from bot.client import edits
from bot.codes import Code
from bot.features.training.thread import RunThread
from gan.run import Run
from tests.bot.world import begin_run, end_epoch, finish_run, until

PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2026, 11, 16)
MEMBERS = 50


class Crash(BaseException):
    """The machine goes down."""


class Week:
    """The server, its clock, and what everybody has voted by now."""

    def __init__(self, world, members):
        self.world = world
        self.app = world.app
        self.members = members
        self.now = datetime.combine(MONDAY, datetime.min.time(), PARIS)
        self.chance = random.Random(7)
        self.votes = {}
        self.ballots = {}
        self.seeds = itertools.count(100)
        self.run_thread = None
        self.new_run_thread()

    def new_run_thread(self):
        """What a bot that has just started knows of runs. Polls are closed by hand, not every two seconds."""
        world = self.world
        world.polls._watch.cancel()
        self.run_thread = RunThread(
            world.app.announcer, world.app.store, world.folder / "runs", 0, world.clock
        )

    async def until_clock(self, day, hour):
        """Let the time go by; the schedule looks every hour."""
        end = datetime.combine(MONDAY + timedelta(days=day), datetime.min.time(), PARIS).replace(hour=hour)
        await self.world.env.advance_time(max((end - self.now).total_seconds(), 0))
        while self.now < end:
            self.now += timedelta(hours=1)
            for post in (self.app.daily, self.app.weekly):
                await self.world.catch_up(post, self.now)

    async def restart(self):
        """The bot goes away and comes back."""
        await self.world.restart()
        self.new_run_thread()

    async def dream(self):
        """Somebody's new bag: its message and code."""
        await self.chance.choice(self.members).send(self.world.channel, f"!bag {next(self.seeds)}")
        return self.world.last, self.world.code

    async def vote(self, message, code, clicks):
        """So many clicks on 👍 and 👎 by anybody, in batches of twenty at once."""
        left = clicks
        while left > 0:
            crowd = self.chance.sample(self.members, min(20, left))
            left -= len(crowd)
            chosen = [(member.id, self.chance.choice((1, 1, -1))) for member in crowd]
            ways = {1: "up", -1: "down"}
            records = self.world.click_at_once(
                message, [(who, f"bag:{ways[way]}:{code}") for who, way in chosen]
            )
            await until(lambda: all(record.responded for record in records), 120)  # noqa: B023 # it ends in here
            for who, way in chosen:
                if self.votes.get((code, who)) == way:
                    del self.votes[code, who]  # taken back
                else:
                    self.votes[code, who] = way
        await self.world.env.settle()

    async def poll(self, restart):
        """A vote between three bags, closed when its time has come."""
        world = self.world
        await self.members[0].send(
            world.channel, f"!bag vote {next(self.seeds)} {next(self.seeds)} {next(self.seeds)}"
        )
        ballot = world.last
        buttons = [item.custom_id for item in ballot.components[0].children]
        for crowd in (self.members[:20], self.members[10:30]):
            clicks = [(member.id, self.chance.choice(buttons)) for member in crowd]
            records = world.click_at_once(ballot, clicks)
            await until(lambda: all(record.responded for record in records), 120)  # noqa: B023 # it ends in here
            self.ballots |= {(int(button.split(":")[2]), who): button.split(":")[3] for who, button in clicks}
        await world.env.settle()
        if restart:
            await self.restart()
        past = datetime.now(UTC) - timedelta(seconds=1)
        await self.app.store.execute(
            text("UPDATE rounds SET closes_at = :past WHERE NOT closed").bindparams(past=past)
        )
        for _ in range(2):
            await world.polls.close_due_polls()
        await world.env.settle()

    async def train(self, name):
        """A run of three epochs, with a restart in the middle."""
        run = Run(self.world.folder / "runs" / name)
        begin_run(run)
        for number in (1, 2, 3):
            end_epoch(run, number)
            await self.run_thread.step()
            if number == 2:
                await self.restart()
        finish_run(run, 3)
        await self.run_thread.step()
        await self.run_thread.step()


def files(thread):
    return [file.filename for message in thread.history() for file in message.attachments]


@pytest.mark.slow
async def test_a_week_of_fifty_people_doubles_no_post_and_loses_no_vote(server, monkeypatch):
    for what, never in (
        ("bot.schedule.POST_SECONDS", 10**6),
        ("bot.features.training.thread.POLL_SECONDS", 10**6),
    ):
        monkeypatch.setattr(what, never)
    monkeypatch.setattr(edits, "SECONDS", 0.05)
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        members = [world.guild.add_member(world.env.create_user(f"member{n}")) for n in range(MEMBERS)]
        await world.env.settle()
        week = Week(world, members)
        monkeypatch.setattr(world.app.store, "now", lambda: week.now.astimezone(UTC))
        await world.app.guilds.set_up(
            world.guild.id, timezone="Europe/Paris", dream_at="0 9 * * *", best_at="0 18 * * sun"
        )
        for day in range(7):
            if day in (2, 5):
                await crash_in_the_morning(week, monkeypatch, day, after=day == 5)
            await week.until_clock(day, 10)
            for _ in range(3):
                message, code = await week.dream()
                await week.vote(message, code, 40)
            await week.chance.choice(members).click(message, custom_id=f"bag:save:{code}")
            if day in (1, 4):
                await week.train(f"2026-11-{16 + day}-1200")
            await week.poll(restart=day % 2 == 0)
            await week.restart()
            if day == 6:
                await week.until_clock(day, 17)
            else:
                await week.until_clock(day, 23)
        await week.until_clock(6, 20)
        await week.restart()
        await week.until_clock(6, 23)
        await world.env.settle()

        said = [message.content for message in world.channel.history() if message.author.bot]
        days = [content.splitlines()[0] for content in said if "Dream bag of" in content]
        assert len(days) == len(set(days)) == 7
        assert sum("The week's best" in content for content in said) == 1
        runs = world.channel.threads
        assert [files(thread) for thread in runs] == 2 * [
            ["epoch-0001.png", "epoch-0002.png", "epoch-0003.png", "timelapse.gif", "losses.png"]
        ]
        assert sum("training run begins" in content for content in said) == 2

        assert await rows(week, "SELECT code, user_id, value FROM votes") == {
            (code, who, way) for (code, who), way in week.votes.items()
        }
        assert await rows(week, "SELECT round_id, user_id, code FROM ballots") == {
            (number, who, code) for (number, who), code in week.ballots.items()
        }
        counted = await rows(week, "SELECT code, sum(value = 1), sum(value = -1) FROM votes GROUP BY code")
        scores = await rows(week, "SELECT code, up, down FROM scores WHERE period = '' AND up + down > 0")
        assert scores == counted
        assert await rows(week, "SELECT count(*), sum(closed), sum(announced) FROM rounds") == {(7, 7, 7)}

        favorites = {code for (code,) in await rows(week, "SELECT code FROM favorites")}
        assert len(favorites) > 7
        await until(lambda: len(posted(hall)) == len(favorites))
        assert set(posted(hall)) == favorites
        folder = world.folder / "favorites"
        assert {path.stem for path in folder.glob("*.json")} == favorites
        for code in favorites:
            drawn = await world.app.studio.picture(Code.of(code))
            assert (folder / f"{code}.png").read_bytes() == drawn.original
            assert (folder / f"{code}-large.png").read_bytes() == drawn.large


async def crash_in_the_morning(week, monkeypatch, day, after):
    """At nine the machine goes down, before or after the day's bag is out."""
    await week.until_clock(day, 8)
    real = discord.TextChannel.send

    async def crash(*args, **options):
        if after:
            await real(*args, **options)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(discord.TextChannel, "send", crash)
        with pytest.raises(Crash):
            await week.world.catch_up(week.app.daily, week.now + timedelta(hours=1))
    await week.restart()


async def rows(week, statement):
    async with week.app.store.engine.connect() as connection:
        return {tuple(row) for row in await connection.execute(text(statement))}


def posted(hall):
    """The codes of the favorites in the hall."""
    return [message.embeds[0].title.split()[-1] for message in hall.history() if message.embeds]
