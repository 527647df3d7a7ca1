"""The bot through a bad evening: 200 people, a training run, cuts and kills, over the wire of the tests.

    python -m benchmarks.soak [--minutes 20] [--json]

In the first third the bot is killed and ended as well. Then it lives on, and in the second half, when its
cache of pictures is full, its memory is compared.
A vote is lost if the store does not hold what Discord showed as taken; an answer or grid is doubled if it was
posted twice; somebody is left if no fault was near and they got no answer.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import types
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[1]
# When this runs as a file, its own folder comes first, where bot.py hides the package of that name.
sys.path.insert(0, str(ROOT))
# The tests are no installed package, and another project's `tests` may be one.
sys.modules["tests"] = types.ModuleType("tests")
sys.modules["tests"].__path__ = [str(ROOT / "tests")]

from tests.bot.world import until  # noqa: E402  # after `tests`
from tests.wire.conftest import BotProcess, BotWire  # noqa: E402  # after `tests`
from tests.wire.models import Interaction, Message  # noqa: E402  # after `tests`

PEOPLE = 200
PACE = 0.25
"""Seconds between two acts, of all people together."""
NEAR = 20.0
"""Seconds around a fault in which somebody may be left without an answer."""
CONFIG = """
vote_minutes = 6000
[gan.recipe]
channels = 8
batch = 16
"""


class Soak:
    """What happened."""

    def __init__(self, wire: BotWire, seconds: float) -> None:
        self.wire, self.seconds = wire, seconds
        self.people = [wire.guild.join(wire.person(f"Person {number}")) for number in range(PEOPLE)]
        self.places = [wire.guild.channel(f"place-{number}") for number in range(20)]
        self.clicks: dict[int, list[tuple[str, Interaction]]] = {person.id: [] for person in self.people}
        self.asked: list[tuple[float, Message | Interaction]] = []
        self.faults: list[tuple[float, float]] = []
        self.memory: list[tuple[float, float]] = []
        self.acts = 0
        self.chance = random.Random(0)
        self.began = time.monotonic()

    @property
    def over(self) -> float:
        """The share of the time that is over."""
        return (time.monotonic() - self.began) / self.seconds

    async def people_act(self, poll: Message, card: Message) -> None:
        """Vote, dream and save, until cancelled."""
        # In a poll, where pressing twice is as pressing once: of a click that was not answered nobody knows
        # whether it got through.
        buttons = [one["custom_id"] for one in poll.controls if one["custom_id"].startswith("bag:ballot")]
        while True:
            person, chance = self.chance.choice(self.people), self.chance.random()
            if chance < 0.7:
                button = self.chance.choice(buttons)
                self.clicks[person.id].append((button, person.click(poll, button)))
            elif chance < 0.9:
                self.asked.append((time.monotonic(), person.send(self.chance.choice(self.places), "!bag")))
            else:
                self.asked.append((time.monotonic(), person.click(card, "bag:save")))
            self.acts += 1
            await asyncio.sleep(PACE)

    async def watch(self, bot: BotProcess) -> None:
        """Note the memory of the bot's own process every five seconds, until cancelled."""
        while True:
            status = await asyncio.to_thread(Path(f"/proc/{bot.pid}/status").read_text)
            kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
            self.memory.append((self.over, kib / 1024))
            await asyncio.sleep(5)

    async def mishap(self, number: int, bot: BotProcess) -> None:
        """One fault, which may end the bot."""
        gateway, began = self.wire.gateway, time.monotonic()
        faults = ["cut", "reconnect", "outage", "refuse", "close"]
        if self.over < 1 / 3:
            faults += ["kill", "terminate"]
        match faults[number % len(faults)]:
            case "cut":
                gateway.cut()
            case "reconnect":
                gateway.reconnect()
            case "close":
                gateway.close(4000)
            case "outage":
                async with self.wire.outage():
                    await asyncio.sleep(10)
            case "refuse":
                self.wire.fail("POST", "/channels/*/messages", status=500, times=5)
            case "kill":
                await bot.stop(signal.SIGKILL)
            case "terminate":
                await bot.stop()
        self.faults.append((began, time.monotonic()))

    def report(self) -> dict[str, Any]:
        """The figures."""
        with closing(sqlite3.connect(self.wire.folder / "bot.db")) as store:
            ballots = "SELECT user_id, 'bag:ballot:' || round_id || ':' || code FROM ballots"
            votes = dict(store.execute(ballots).fetchall())
        grids = Counter(
            (channel.id, file["filename"])
            for channel in self.wire.channels.values()
            for message in channel.messages.values()
            if message.by_bot and channel is not self.wire.channel
            for file in message.files
            if file["filename"].startswith("epoch-")
        )
        left = [
            asked
            for at, asked in self.asked
            if not asked.answers
            and not any(began - NEAR < at < ended + NEAR for began, ended in self.faults)
            and at < time.monotonic() - NEAR
        ]
        half = [mib for share, mib in self.memory if share >= 0.5]
        fourth = max(len(half) // 4, 1)
        first, last = statistics.median(half[:fourth]), statistics.median(half[-fourth:])
        return {
            "minutes": round(self.seconds / 60, 1),
            "acts": self.acts,
            "votes_taken": sum(one.acknowledged for cast in self.clicks.values() for _, one in cast),
            "votes_lost": sum(not _holds(cast, votes.get(who)) for who, cast in self.clicks.items()),
            "grids": len(grids),
            "grids_doubled": sum(count - 1 for count in grids.values()),
            "answers_doubled": sum(len(asked.answers) > 1 for _, asked in self.asked),
            "left_without_an_answer": len(left),
            "faults": len(self.faults),
            "memory_mib": round(last, 1),
            "memory_growth_percent": round(100 * (last / first - 1), 2),
            "log_mb": round(sum(log.stat().st_size for log in self.wire.folder.glob("bot-*.log")) / 1e6, 2),
        }


def _holds(cast: list[tuple[str, Interaction]], stored: str | None) -> bool:
    """Whether the store holds a person's last vote that was taken, or a later one that may be kept or not."""
    possible: list[str | None] = []
    for button, click in reversed(cast):
        possible.append(button)
        if click.acknowledged:
            return stored in possible
    return True


def _prepare(folder: Path) -> None:
    """A dataset of colored squares, made by the real scraper."""
    pictures = folder / "pictures"
    pictures.mkdir()
    for number in range(64):
        color = tuple(int(part) for part in np.random.default_rng(number).integers(0, 255, 3))
        Image.new("RGB", (64, 64), color).save(pictures / f"{number}.png")
    config = folder / "scraper.toml"
    config.write_text(f'[scraper]\nfolder = "{folder}/shop"\ndataset = "{folder}/dataset"\n')
    for arguments in (["import", str(pictures)], ["build"]):
        command = [sys.executable, "-m", "scraper", "--config", str(config), *arguments]
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


async def soak(minutes: float) -> dict[str, Any]:
    """Run it."""
    with tempfile.TemporaryDirectory(prefix="bench-soak-") as name:
        folder = Path(name)
        await asyncio.to_thread(_prepare, folder)
        async with BotWire(folder) as wire:
            run, number, card, acting = Soak(wire, 60 * minutes), 0, None, None
            while run.over < 1:
                async with wire.bot(CONFIG) as bot:
                    if run.faults:  # the last one ended the bot, which is back now
                        run.faults[-1] = run.faults[-1][0], time.monotonic()
                    watching = asyncio.create_task(run.watch(bot))
                    if card is None:
                        wire.ada.send(wire.channel, "!bag train start")
                        await until(lambda: list((folder / "runs").glob("*/generator.safetensors")))
                        card = await wire.ada.send(wire.guild.channel("votes"), "!bag").picture()
                        poll = await wire.ada.send(wire.guild.channel("polls"), "!bag vote").picture()
                        acting = asyncio.create_task(run.people_act(poll, card))
                    while run.over < 1 and bot.process.returncode is None:
                        await asyncio.sleep(min(run.seconds / 20, 60))
                        if run.over < 1:
                            await run.mishap(number, bot)
                            number += 1
                    watching.cancel()
                    if run.over >= 1 and acting is not None:
                        acting.cancel()
                        await asyncio.sleep(5)  # what was asked for last is answered
            return run.report()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    os.environ.pop("DISCORD_TOKEN", None)
    figures = asyncio.run(soak(options.minutes))
    if options.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name.replace('_', ' '):24} {figure:>10}")


if __name__ == "__main__":
    main()
