"""Whether the bot holds out for long: people, a training run and one fault after the other, over the wire.

    python -m benchmarks.soak [--minutes 20] [--people 200] [--json]

The bot as it is run, `python -m bot`, against the small Discord of `tests/wire`. People vote, dream and save,
a few of them a second; a run trains beside; every two minutes something goes wrong: close codes of the
gateway, ten seconds without network, answers of 500, `kill -9` and SIGTERM with a new start. Afterwards it
counts votes that Discord showed as taken and the store has not, grids and answers posted twice, and people
who asked away from any fault and were told nothing. Memory is the resident size of the bot and its drawing
processes, in MiB, sampled once a second; its growth is that of the median from the third quarter of the time
to the last one, over lives of the bot that had time to settle. Linux only.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import signal
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# When this runs as a file, its own folder comes first, where bot.py is what `import bot` finds.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gan import events
from gan.run import Run
from tests.bot.world import begin_run, end_epoch, finish_run, make_generator, until
from tests.wire.conftest import BotProcess, BotWire
from tests.wire.models import Channel, Interaction, Message
from tests.wire.people import Person
from tests.wire.test_training import GAN, make_dataset

ACTIONS_A_SECOND = 4.0
FAULT_SECONDS = 120.0
OUTAGE_SECONDS = 10.0
SETTLED_SECONDS = 20.0
"""After a start, the processes have loaded what they need."""
NEAR_SECONDS = 30.0
"""Who asks so soon before a fault, or until so long after it is over, is not counted as left alone."""
ANSWER_SECONDS = 60.0
"""Who has no answer by then has none."""
CHANNELS = 8
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Life:
    """One process of the bot."""

    bot: BotProcess
    began: float
    memory: list[tuple[float, float]] = field(default_factory=list)
    """When (time.monotonic), and MiB."""
    cpu: float = 0.0
    """Seconds of the bot's own processor time."""
    actions: int = 0


@dataclass
class Soak:
    """What happens, and what is noted of it."""

    wire: BotWire
    people: list[Person]
    channels: list[Channel]
    stack: AsyncExitStack
    lives: list[Life] = field(default_factory=list)
    asked: list[tuple[float, Message | Interaction]] = field(default_factory=list)
    votes: dict[tuple[str, int], list[Interaction]] = field(default_factory=dict)
    """The clicks on 👍 and 👎, by design and person, in order."""
    faults: list[tuple[str, float, float]] = field(default_factory=list)
    """Name, beginning and end (time.monotonic)."""
    cards: list[Message] = field(default_factory=list)

    # The bot --------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start the bot and wait until it is there."""
        starting = self.wire.bot(GAN, BOT_GRID_SECONDS="10", BOT_COOLDOWN_SECONDS="2")
        bot = await self.stack.enter_async_context(starting)
        self.lives.append(Life(bot, time.monotonic()))

    async def sample(self) -> None:
        """Note memory and processor time once a second, until cancelled."""
        while True:
            life = self.lives[-1]
            if life.bot.process.returncode is None:
                memory = sum(map(_memory, [life.bot.pid, *_drawing(life.bot.pid)]))
                life.memory.append((time.monotonic(), memory))
                life.cpu = max(life.cpu, _cpu(life.bot.pid))
            await asyncio.sleep(1)

    # The people -----------------------------------------------------------------------------------

    async def live(self, minutes: float) -> None:
        """Let people act for some minutes."""
        end = time.monotonic() + 60 * minutes
        seeds = itertools.count(1)
        while time.monotonic() < end:
            self.act(next(seeds))
            await asyncio.sleep(random.expovariate(ACTIONS_A_SECOND))

    def act(self, seed: int) -> None:
        """One person does one thing."""
        person, channel = random.choice(self.people), random.choice(self.channels)
        kind = random.random()
        self.lives[-1].actions += 1
        if kind < 0.3 or not self.cards:
            self._note(person.send(channel, f"!bag {seed}"))
        elif kind < 0.4:
            self._note(person.slash(channel, "bag dream", code=str(seed)))
        elif kind < 0.5:
            self._note(person.click(random.choice(self.cards), "bag:save"))
        else:
            card = random.choice(self.cards)
            click = person.click(card, random.choice(("bag:up", "bag:down")))
            self.votes.setdefault((card.code, person.id), []).append(click)
        found = [one for _, asked in self.asked[-40:] for one in asked.answers if one.files]
        self.cards = [*self.cards[-20:], *(one for one in found if one not in self.cards[-20:])][-30:]

    def _note(self, asked: Message | Interaction) -> None:
        self.asked.append((time.monotonic(), asked))

    # What goes wrong ------------------------------------------------------------------------------

    async def trouble(self, minutes: float) -> None:
        """One fault after the other for some minutes; the last one is over some time before their end."""
        end = time.monotonic() + 60 * minutes
        for name, fault in itertools.cycle(FAULTS.items()):
            if time.monotonic() + FAULT_SECONDS > end - NEAR_SECONDS:
                return
            await asyncio.sleep(FAULT_SECONDS)
            began = time.monotonic()
            tell(name)
            await fault(self)
            await until(lambda: self.wire.gateway.ready)
            self.faults.append((name, began, time.monotonic()))

    async def close(self, code: int) -> None:
        """The gateway closes."""
        connections = len(self.wire.gateway.resumes) + len(self.wire.gateway.identifies)
        self.wire.gateway.close(code)
        gateway = self.wire.gateway
        await until(lambda: len(gateway.resumes) + len(gateway.identifies) > connections)

    async def outage(self) -> None:
        """Nothing is there."""
        async with self.wire.outage():
            await asyncio.sleep(OUTAGE_SECONDS)

    async def errors(self) -> None:
        """Discord answers 500, before and after it has done what it was asked for."""
        for after_effect in (True, False):
            for path in ("/channels/*/messages", "/interactions/*/callback"):
                self.wire.fail("POST", path, times=5, status=500, after_effect=after_effect)
        await asyncio.sleep(OUTAGE_SECONDS)

    async def end(self, by: signal.Signals) -> None:
        """The bot is ended, and started again."""
        life = self.lives[-1]
        life.cpu = max(life.cpu, _cpu(life.bot.pid))
        await life.bot.stop(by)
        await self.start()

    # What came of it ------------------------------------------------------------------------------

    def lost(self) -> int:
        """Votes whose last acknowledged click, or one after it, is not what the store holds."""
        with closing(sqlite3.connect(self.wire.folder / "bot.db")) as store:
            stored = {
                (code, person): value
                for code, person, value in store.execute("SELECT code, user_id, value FROM votes")
            }
        return sum(not _possible(clicks, stored.get(key)) for key, clicks in self.votes.items())

    def doubled(self) -> dict[str, int]:
        """Grids of runs, and answers, that were posted more than once."""
        shown = Counter(
            (channel.id, file["filename"])
            for channel in self.wire.channels.values()
            if channel.parent is not None
            for message in channel.messages.values()
            for file in message.files
            if file["filename"].startswith("epoch-")
        )
        return {
            "grids_doubled": sum(times - 1 for times in shown.values()),
            "threads_doubled": sum(max(len(channel.threads) - 1, 0) for channel in self.channels),
            "answers_doubled": sum(
                max(sum(bool(one.files) for one in asked.answers) - 1, 0) for _, asked in self.asked
            ),
        }

    def left(self) -> list[str]:
        """Those who asked away from any fault, and were told nothing."""
        return [
            f"{asked.payload.get('content') or asked.data}"
            for at, asked in self.asked
            if not any(began - NEAR_SECONDS < at < ended + NEAR_SECONDS for _, began, ended in self.faults)
            and not asked.answers
            and not (asked.author if isinstance(asked, Message) else asked.person).told
        ]

    def growth(self, began: float, ended: float) -> float:
        """Of the memory, from the third quarter of the time to the last, in percent."""
        settled = [
            sample
            for life in self.lives
            for sample in life.memory
            if sample[0] - life.began > SETTLED_SECONDS
        ]
        half, last = began + 0.5 * (ended - began), began + 0.75 * (ended - began)
        third = [memory for at, memory in settled if half <= at < last]
        fourth = [memory for at, memory in settled if at >= last]
        if not third or not fourth:
            return 0.0
        return round(100 * (statistics.median(fourth) / statistics.median(third) - 1), 2)


FAULTS: dict[str, Callable[[Soak], Awaitable[None]]] = {
    "close 4000": lambda soak: soak.close(4000),
    "outage": lambda soak: soak.outage(),
    "close 4009": lambda soak: soak.close(4009),
    "errors 500": lambda soak: soak.errors(),
    "kill -9": lambda soak: soak.end(signal.SIGKILL),
    "close 1001": lambda soak: soak.close(1001),
    "SIGTERM": lambda soak: soak.end(signal.SIGTERM),
}


def _possible(clicks: list[Interaction], stored: int | None) -> bool:
    """Whether a store's vote (1, -1 or none) can come of these clicks; a second one takes a vote back."""
    possible: set[int | None] = {None}
    for click in clicks:
        value = 1 if click.data["custom_id"].startswith("bag:up") else -1
        after = {None if before == value else value for before in possible}
        # One that was not acknowledged may be kept or dropped.
        possible = after if click.acknowledged else possible | after
    return stored in possible


def _drawing(bot: int) -> list[int]:
    """The ids of the drawing processes of the bot."""
    try:
        children = Path(f"/proc/{bot}/task/{bot}/children").read_text().split()
        return [
            int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]
    except OSError:  # it has just ended
        return []


def _memory(pid: int) -> float:
    """Resident, in MiB; 0 for a process that is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_SIZE / 2**20
    except OSError:
        return 0.0


def _cpu(pid: int) -> float:
    """Seconds of processor time so far; 0 for a process that is gone."""
    try:
        values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(values[11]) + int(values[12])) / TICKS


def tell(text: str) -> None:
    """Progress, for who waits."""
    sys.stderr.write(f"{time.strftime('%X')} {text}\n")


def _runs(folder: Path) -> int:
    """How many runs were begun."""
    return len(list(folder.glob("runs/*/events.jsonl"))) - 1


def _prepare(folder: Path) -> None:
    """A finished run, whose generator draws, and a dataset for the next one."""
    run = Run(folder / "runs" / "2026-01-01-0000")
    version = make_generator(run)
    begin_run(run)
    end_epoch(run, 1)
    events.append(run.path, events.Checkpoint(epoch=1, version=version))
    finish_run(run, 1)
    make_dataset(folder)


async def measure(minutes: float, people: int) -> dict[str, Any]:
    """Soak the bot; the figures."""
    with tempfile.TemporaryDirectory(prefix="bench-soak-") as name:
        folder = Path(name)
        await asyncio.to_thread(_prepare, folder)
        async with BotWire(folder) as wire, AsyncExitStack() as stack:
            crowd = [wire.guild.join(wire.person(f"Person {number}")) for number in range(people)]
            channels = [wire.channel, *(wire.guild.channel(f"place-{n}") for n in range(1, CHANNELS))]
            soak = Soak(wire, crowd, channels, stack)
            await soak.start()
            await until(lambda: wire.syncs)
            await wire.ada.send(wire.channel, "!bag train start").answer()
            began = time.monotonic()
            sampling = asyncio.create_task(soak.sample())
            await asyncio.gather(soak.live(minutes), soak.trouble(minutes))
            ended = time.monotonic()
            tell("the last answers")
            try:
                await until(lambda: not soak.left(), ANSWER_SECONDS)
            except TimeoutError:
                tell(f"left without an answer: {soak.left()[:5]}")
            sampling.cancel()
            code = await soak.lives[-1].bot.stop()
            actions, cpu = sum(life.actions for life in soak.lives), sum(life.cpu for life in soak.lives)
            logs = [life.bot.log for life in soak.lives]
            return {
                "minutes": round((ended - began) / 60, 1),
                "people": people,
                "actions": actions,
                "votes": sum(map(len, soak.votes.values())),
                "votes_lost": soak.lost(),
                **soak.doubled(),
                "grids": sum(
                    file["filename"].startswith("epoch-")
                    for channel in wire.channels.values()
                    if channel.parent
                    for message in channel.messages.values()
                    for file in message.files
                ),
                "runs": await asyncio.to_thread(_runs, folder),
                "left_without_answer": len(soak.left()),
                "thinking": len(wire.thinking()),
                "violations": wire.violations,
                "rate_limits_exceeded": len(wire.rate_limits.exceeded),
                "growth_percent": soak.growth(began, ended),
                "log_bytes": sum(map(len, logs)),
                "tracebacks": sum(log.count("Traceback (most recent call last)") for log in logs),
                "cpu_ms_per_action": round(1000 * cpu / max(actions, 1), 1),
                "exit_code": code,
                "faults": [
                    {"fault": fault, "seconds": round(over - start, 1)} for fault, start, over in soak.faults
                ],
                "lives": [
                    {
                        "seconds": round(life.memory[-1][0] - life.began) if life.memory else 0,
                        "memory_mib": round(life.memory[-1][1]) if life.memory else 0,
                        "peak_mib": round(max((memory for _, memory in life.memory), default=0)),
                        "cpu_seconds": round(life.cpu, 1),
                    }
                    for life in soak.lives
                ],
            }


def show(found: dict[str, Any]) -> None:
    """The table."""
    for name, value in found.items():
        if not isinstance(value, list):
            print(f"{name:22}{value:>12}")
    for violation in found["violations"]:
        print(f"Discord would refuse: {violation}")
    for fault in found["faults"]:
        print(f"{fault['fault']:22}{fault['seconds']:>10} s")
    for number, life in enumerate(found["lives"], 1):
        print(f"life {number}: " + ", ".join(f"{name} {value}" for name, value in life.items()))


def main() -> None:
    """Soak, then print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = asyncio.run(measure(options.minutes, options.people))
    if options.json:
        print(json.dumps(found))
    else:
        show(found)


if __name__ == "__main__":
    main()
