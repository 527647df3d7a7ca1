"""The trainer and the collector as the bot's child processes, started and stopped from Discord."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bot import words
from bot.processes import ChildProcess
from tests.bot.world import until

pytestmark = pytest.mark.usefixtures("runs_posted")

GAN = """
[gan.recipe]
channels = 8
batch = 16
"""


def make_dataset(folder, count=64):
    """A dataset of colored squares, made by the real scraper."""
    pictures = folder / "pictures"
    pictures.mkdir()
    for number in range(count):
        color = tuple(int(c) for c in np.random.default_rng(number).integers(0, 255, 3))
        Image.new("RGB", (64, 64), color).save(pictures / f"{number}.png")
    return pictures


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A folder with an imported dataset, as `python -m scraper import` and `build` leave it."""
    folder = tmp_path_factory.mktemp("imported")
    config = folder / "scraper.toml"
    config.write_text(f'[scraper]\nfolder = "{folder}/shop"\ndataset = "{folder}/dataset"\n')
    pictures = make_dataset(folder)
    for arguments in (["import", str(pictures)], ["build"]):
        subprocess.run([sys.executable, "-m", "scraper", "--config", str(config), *arguments], check=True)
    return folder


@pytest.fixture
def dataset(imported, tmp_path):
    """The imported dataset, and what it was made from, in the test's own folder."""
    for name in ("shop", "dataset"):
        shutil.copytree(imported / name, tmp_path / name)
    return tmp_path / "dataset"


def said(world):
    return " ".join(message.content for message in world.channel.history())


def is_behind(pid):
    """Whether others have the processor before a process, also where niceness counts by session."""
    group = Path(f"/proc/{pid}/autogroup")
    grouped = group.read_text() if group.exists() else ""
    return os.getpriority(os.PRIO_PROCESS, pid) == 10 and not grouped.endswith("nice 0\n")


async def test_an_admin_trains_stops_and_goes_on_and_is_told_when_the_trainer_is_killed(server, dataset):
    async with server(GAN, generator=False) as world:
        await world.ben.send(world.channel, "!bag train start")
        assert "Manage Server" in world.whispers(world.ben)[0]
        await world.ada.send(world.channel, "!bag train stop")
        assert "No training run" in world.whispers(world.ada)[0]
        await world.ada.send(world.channel, "!bag train start")
        await world.ada.send(world.channel, "!bag train start")
        assert "already" in world.whispers(world.ada)[1]
        await until(lambda: world.channel.threads)
        assert is_behind(world.app.trainer._process.pid)
        (thread,) = world.channel.threads
        await until(lambda: any(message.attachments for message in thread.history()))
        await world.ada.send(world.channel, "!bag 42")
        assert world.code.endswith("-42")
        await world.ada.slash(world.channel, "bag train stop")
        await until(lambda: any("stopped after" in message.content for message in thread.history()))
        await until(lambda: not world.app.trainer.running)
        await world.ada.send(world.channel, "!bag train start")
        await until(lambda: len(thread.history()) > 3)
        assert len(world.channel.threads) == 1
        os.kill(world.app.trainer._process.pid, signal.SIGKILL)
        await until(lambda: "My trainer was killed (signal 9)" in said(world))
        assert not world.app.trainer.running


async def test_a_trainer_without_a_dataset_says_what_is_missing(server):
    async with server(generator=False) as world:
        await world.ada.send(world.channel, "!bag train start")
        await until(lambda: "My trainer ended with code 2" in said(world))
        assert "dataset" in said(world)


async def test_an_unreachable_shop_is_told_and_what_is_there_is_built(server, dataset, monkeypatch):
    monkeypatch.setenv("SCRAPER_BACKOFF", "0.1")
    shop = (
        '[scraper.shops.closed]\nkind = "shopify"\nurl = "http://127.0.0.1:9/collections/bags"\ndelay = 0\n'
    )
    async with server(shop, generator=False) as world:
        await world.ada.send(world.channel, "!bag scrape")
        await until(lambda: "The dataset now has" in said(world), 120)
        assert "⚠️ closed: " in said(world)
        assert "**64** bags" in said(world)
        await until(lambda: not world.app.scraper.running)
        await world.app.scraper.start(asked=False)  # as the schedule does every night
        await until(lambda: said(world).count("⚠️ closed: ") == 2, 120)
        await until(lambda: not world.app.scraper.running)
        assert said(world).count("The dataset now has") == 1
        await world.ben.send(world.channel, "!bag scrape")
        assert "Manage Server" in world.whispers(world.ben)[0]


def test_a_bad_night_is_told_in_one_message():
    problems = [(f"shop {number}", "x" * 1000) for number in range(40) for _ in range(30)]
    told = words.shop_problems(problems)
    assert len(told) <= 2000
    assert told.count("⚠️") == 5
    assert "29 problems more" in told
    assert "36 shops more had problems" in told
    assert "My log has all of them." in told
    assert words.shop_problems([("one", "closed"), ("two", "robots")]) == "⚠️ one: closed\n⚠️ two: robots"


@pytest.mark.parametrize("at_once", [False, True])
async def test_an_admin_stops_a_scrape_by_prefix_or_slash(server, tmp_path, at_once):
    with socket.create_server(("127.0.0.1", 0)) as silent:  # a shop that never answers
        port = silent.getsockname()[1]
        shop = f'[scraper.shops.silent]\nkind = "rebag"\nurl = "http://127.0.0.1:{port}/"\n'
        async with server(shop, generator=False) as world:
            await world.ada.send(world.channel, "!bag scrape stop")
            assert "not scraping" in world.whispers(world.ada)[0]
            await world.ada.send(world.channel, "!bag scrape everything")
            assert "`!bag scrape stop`" in world.whispers(world.ada)[1]
            await world.ada.slash(world.channel, "bag scrape", what="start")
            if at_once:
                await world.ada.send(world.channel, "!bag scrape stop")
            else:
                await until(lambda: (tmp_path / "shop" / "catalog.sqlite").exists())
                await world.ada.slash(world.channel, "bag scrape", what="stop")
            await until(lambda: not world.app.scraper.running)
            assert at_once or "Stopped. No new bags" in said(world)
            assert "My scraper" not in said(world)
            await world.ben.send(world.channel, "!bag scrape stop")
            assert "Manage Server" in world.whispers(world.ben)[0]


BOT = """
import asyncio, sys
from pathlib import Path
from bot.app import App
from bot import words
from bot.processes import ChildProcess
from bot.settings import load_config

async def main():
    async with App(load_config(Path(sys.argv[1]))) as app:
        await app.trainer.start()
        while app.trainer._process is None:
            await asyncio.sleep(0.01)
        print(app.trainer._process.pid, flush=True)
        await asyncio.Event().wait()

if __name__ == "__main__":
    asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
async def test_a_run_goes_on_after_any_end_of_the_bot_but_not_once_somebody_stopped_it(
    server, make_config, dataset, tmp_path, caplog
):
    caplog.set_level("INFO", "bot.processes")
    make_config(GAN, generator=False)
    script = tmp_path / "killed.py"
    script.write_text(BOT)
    bot = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        str(tmp_path / "config.toml"),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    trainer = int(await bot.stdout.readline())
    await until(lambda: list((tmp_path / "runs").glob("*/events.jsonl")))
    os.kill(trainer, signal.SIGSTOP)  # it takes its time
    bot.kill()
    await bot.wait()
    async with server(GAN, generator=False) as world:
        await until(lambda: "waiting for the trainer" in caplog.text)
        os.kill(trainer, signal.SIGCONT)
        await until(lambda: not Path(f"/proc/{trainer}").exists())
        (events,) = (tmp_path / "runs").glob("*/events.jsonl")
        assert '"stopped"' in events.read_text().splitlines()[-1]
        await until(lambda: world.app.trainer._process)  # and this bot ends before its trainer has begun
    async with server(GAN, generator=False) as world:
        # The thread went with the first simulated Discord, so the run may be told in the channel.
        await until(
            lambda: any(
                message.attachments
                for place in (world.channel, *world.channel.threads)
                for message in place.history()
            )
        )
        assert len(list((world.folder / "runs").glob("*/events.jsonl"))) == 1
        await world.ada.send(world.channel, "!bag train stop")
    async with server(GAN, generator=False) as world:
        assert not world.app.trainer.running


async def test_a_large_log_is_set_aside(tmp_path):
    class Zen(ChildProcess):
        async def _work(self):
            await self._call("this")

    log_file = tmp_path / "logs" / "zen.log"
    zen = Zen("zen", tmp_path / "config.toml", log_file, None)
    await zen._work()
    await zen._work()
    assert log_file.read_text().count("The Zen of Python") == 2
    with log_file.open("a") as file:
        file.truncate(5_000_001)
    await zen._work()
    await zen._work()
    assert log_file.read_text().count("The Zen of Python") == 2
    assert [path.name for path in sorted(log_file.parent.iterdir())] == ["zen.log", "zen.log.1"]
