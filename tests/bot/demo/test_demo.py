"""The whole demo: shop, crawl, training run, bot and page, all real and all small."""

import asyncio
import json
import os
import random
import re
import signal
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from yarl import URL

from bot.demo.run import Demo
from tests.bot.demo.person import Person
from tests.bot.world import until

ROOT = Path(__file__).parents[3]
MARK = "BAG_DREAMS_TEST"


pytestmark = pytest.mark.usefixtures("runs_posted")


@pytest.fixture
def away(tmp_path, monkeypatch):
    """Run in an empty folder, with small networks; every process that is started bears this test's mark."""
    away = tmp_path / "away"
    away.mkdir()
    monkeypatch.chdir(away)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv(MARK, tmp_path.name)
    for name, value in {"RECIPE__CHANNELS": "16", "THREADS": "1", "CHECKPOINT_SECONDS": "1"}.items():
        monkeypatch.setenv(f"GAN_{name}", value)
    monkeypatch.setenv("BOT_GRID_SECONDS", "0.3")
    return away


def started(mark):
    """The command lines of all other processes that bear the mark, orphans too (Linux tells)."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes().split(b"\0"):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                # multiprocessing's own, which ends with the process that tests.
                if int(process.name) != os.getpid() and "resource_tracker" not in command:
                    found[int(process.name)] = command
    return found


def posts(demo):
    """All messages of the simulated Discord, in the channel and in its threads."""
    return [post for place in demo.chat.env.backend.messages.values() for post in place.values()]


async def told(demo, words):
    """Wait until the bot says it (a pattern), anywhere."""
    try:
        await until(lambda: any(re.search(words, post.content) for post in posts(demo)), 200)
    except TimeoutError:
        pytest.fail(f"{words!r} was not said, but: {[post.content[:80] for post in posts(demo)]}")


async def test_it_collects_trains_and_answers_and_leaves_nothing_behind(tmp_path, away, session, monkeypatch):
    monkeypatch.setattr("bot.demo.story.FIRST_DREAM_EPOCH", 1)  # this run is over after a few
    monkeypatch.setenv("GAN_RECIPE__CHANNELS", "16")
    folder = tmp_path / "demo"
    async with Demo(folder, port=0, bags=60, minutes=0.05) as demo:
        ada = Person(session, demo.chat, "ada")
        async with session.get(demo.address) as page:
            assert "Bag Dreams" in await page.text()
        for words in (
            "I dream handbags",
            "new bags from rebag",
            "A new training run begins",
            "My first dream today",
            "The run is done",
        ):
            await told(demo, words)
        assert "bot.demo.shop.server" in " ".join(started(tmp_path.name).values())

        assert await ada.send("!bag 42") == {"ok": True}
        assert (await ada.last())["embeds"][0]["image"]["alt"].startswith("A dreamed handbag")

        (thread,) = (place for place in (await ada.state())["channels"] if place["thread"])
        *grids, ending = await ada.messages(thread["id"])
        assert grids
        alts = [grid["attachments"][0]["alt"] for grid in grids]
        assert all(re.match(r"64 handbags .* after epoch \d+", alt) for alt in alts)
        for file in (*grids[-1]["attachments"], *ending["attachments"]):
            async with session.get(demo.address + file["url"]) as got:
                assert got.content_type == file["type"]
                assert 0 < len(await got.read()) <= 8 * 2**20
    assert 30 <= json.loads((folder / "dataset" / "manifest.json").read_text())["count"] <= 60
    assert [path.name for path in away.iterdir() if not path.name.startswith(".coverage")] == []
    assert started(tmp_path.name) == {}


def titles(demo):
    """The titles of all embeds."""
    return [embed.get("title") or "" for post in posts(demo) for embed in post.embeds]


def hall(demo):
    """The id of the hall of fame's channel."""
    return next(
        channel.id for channel in demo.chat.env.guild.channels.values() if channel.name == "hall-of-fame"
    )


@pytest.mark.slow
async def test_it_tells_its_whole_story_and_knows_who_returns(tmp_path, away, session, monkeypatch):
    monkeypatch.setattr("bot.demo.story.FIRST_DREAM_EPOCH", 1)
    monkeypatch.setattr("bot.demo.story.PAUSE_SECONDS", 0)
    monkeypatch.setattr("bot.demo.story.GALLERY_SECONDS", 0.5)
    monkeypatch.setattr("bot.demo.run.DAILY_AFTER", timedelta(minutes=-1))
    async with Demo(tmp_path / "demo", port=0, bags=60, minutes=0.05) as demo:
        for words in ("I live in this demo", "a gallery, a site of its own", r"Dream bag of \w+day"):
            await told(demo, words)
        await until(lambda: "✅ The training run is done" in titles(demo), 60)
        assert any(title.startswith("Vote ") for title in titles(demo))
        await until(lambda: demo.chat.env.backend.messages[hall(demo)], 60)
        loved = next(iter(demo.chat.env.backend.messages[hall(demo)].values())).embeds[0]["title"]

        async def exhibited():
            async with session.get(f"{demo.address}/gallery/favorites.html") as page:
                return page.status == 200 and "bags/" in await page.text()

        async with asyncio.timeout(60):
            while not await exhibited():
                await asyncio.sleep(0.1)
        for path in ("../bot.db", "%2e%2e/bot.db", "nothing.html"):
            async with session.get(URL(f"{demo.address}/gallery/{path}", encoded=True)) as page:
                assert page.status == 404

    async with Demo(tmp_path / "demo", port=0, bags=60, minutes=0.05) as demo:
        await told(demo, "Welcome back")
        await until(lambda: loved in titles(demo), 60)
        assert await Person(session, demo.chat, "ada").send("/bag favorites") == {"ok": True}


@pytest.mark.slow
async def test_an_interrupt_ends_every_process(tmp_path, away):
    """While the trainer is at work, and as Ctrl-C does it: to the bot, who started all the others."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--folder", str(tmp_path / "demo"), "--port", "0"),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(100):
            while b"is dreaming at http://127.0.0.1:" not in await process.stdout.readline():
                pass
        await until(lambda: any("gan" in command.split() for command in started(tmp_path.name).values()), 100)
        await until(lambda: list(tmp_path.glob("demo/runs/*/grids/*.png")), 100)
        assert len(started(tmp_path.name)) >= 4  # the bot, its pool, the shop and the trainer
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            assert await process.wait() == 0
        assert started(tmp_path.name) == {}
    finally:
        for leftover in started(tmp_path.name):
            with suppress(ProcessLookupError):
                os.kill(leftover, signal.SIGKILL)


@pytest.mark.slow
async def test_200_of_200_actions_are_answered_while_a_run_trains(tmp_path, away, session):
    """Three people in a hurry: none of what they do is lost, refused or answered twice."""
    hurry = random.Random(1)
    async with Demo(tmp_path / "demo", port=0, bags=60, minutes=10) as demo:
        people = [Person(session, demo.chat, name) for name in demo.chat.people]
        # Not one epoch by its number: quick epochs outrun the posts, and only the newest grid gets out.
        await told(demo, r"\*\*Epoch ([3-9]|\d\d)")

        async def at_some_time(action):
            await asyncio.sleep(hurry.random() * 5)
            return await action

        async def together(actions):
            return await asyncio.gather(*map(at_some_time, actions))

        def answers(pattern):
            """The bot's messages in the channel whose embed's title matches, by what matched."""
            home = demo.chat.env.backend.messages[demo.chat.channel_id].values()
            titles = [
                (post, re.fullmatch(pattern, e.get("title") or "")) for post in home for e in post.embeds
            ]
            return [(found[1], post) for post, found in titles if found]

        seeds = range(1000, 1030)
        did = await together(people[seed % 3].send(f"!bag {seed}") for seed in seeds)
        dreams = {int(seed): post for seed, post in answers(r"Bag [a-z0-9]+-(10\d\d)")}
        assert sorted(dreams) == list(seeds)

        ups = {seed: [hurry.random() < 0.5 for _ in people] for seed in seeds}
        codes = {seed: post.embeds[0]["title"].split()[1] for seed, post in dreams.items()}
        at = {seed: {"id": str(post.id)} for seed, post in dreams.items()}
        deeds = [
            person.click(at[seed], f"bag:{'up' if up else 'down'}:{codes[seed]}")
            for seed in seeds
            for person, up in zip(people, ups[seed], strict=True)
        ]
        deeds += [people[seed % 3].click(at[seed], f"bag:save:{codes[seed]}") for seed in seeds]
        deeds += [people[n % 3].click(at[seeds[n]], "bag:again") for n in range(10)]
        deeds += [people[n % 3].send(f"!bag grid {n}") for n in range(2, 12)]
        deeds += [people[n % 3].send(f"!bag {2000 + n}") for n in range(20)]
        deeds += [people[n % 3].send(f"hello {n}") for n in range(10)]
        hurry.shuffle(deeds)
        did += await together(deeds)
        assert len(did) == 200
        assert [answer for answer in did if answer != {"ok": True}] == []

        home = demo.chat.env.backend.messages[demo.chat.channel_id].values()
        for seed, post in dreams.items():
            up, down = (button["label"] for button in post.components[0]["components"][:2])
            assert (int(up), int(down)) == (sum(ups[seed]), 3 - sum(ups[seed]))
        assert sorted(int(seed) for seed, _ in answers(r"Bag [a-z0-9]+-(20[01]\d)")) == list(
            range(2000, 2020)
        )
        assert sorted(int(n) for n, _ in answers(r"(\d+) dreams")) == list(range(2, 12))
        favorites = sum("⭐" in post.content for post in home)  # told with their picture
        others = len(answers(r"Bag ([a-z0-9]+-\d+)")) - 30 - 20 - favorites
        assert others in (10, 11)  # of 🎲, and perhaps the demo's own
        saved = [post for post in home if post.is_ephemeral and "favorites" in post.content]
        assert len(saved) == 30
        assert len(list(tmp_path.glob("demo/favorites/*.json"))) == 30
        assert {f"hello {n}" for n in range(10)} <= {post.content for post in home}
        assert demo.app.trainer.running
        assert sum("**Epoch" in post.content for post in posts(demo)) > 10
