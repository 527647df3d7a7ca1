"""How long the bot keeps people waiting, and Discord's heartbeat, idle and while a run trains beside it.

    python -m benchmarks.bot [--quick] [--seconds 40] [--json] [--channels 128]

The real bot and the real trainer, in a simulated Discord. 1, 50 and 200 people type `!bag SEED`, each again
about five seconds after the reply (one person alone after half a second); "nonstop" is 50 people who never
pause. A reply's time is the bot's own: from the gateway's event to the request that posts the reply.

In the bot's event loop a task asks to be woken every 5 ms: how late it wakes is a stall. Each stall is split
into the loop's own work (CPU time of its thread), waiting for a processor (the kernel's run queue), and the
rest (I/O, the GIL); a thread samples what the loop was doing. Another process, which does nothing else, ticks
beside: its stalls are the machine's. The simulated Discord works in the same loop. Linux only.
"""

import argparse
import asyncio
import itertools
import json
import logging
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

# When this runs as a file, its own folder comes first, where this file is what `import bot` finds.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.stalls import percentile, ticking
from bot.app import freeze_memory

CROWDS = (1, 50, 200)
PAUSE = 5.0


# The people ------------------------------------------------------------------------------------


class Crowd:
    """Privacy who type `!bag SEED` in a simulated Discord; a reply counts when the bot asks to post it.

    So the time is the bot's own, from the gateway's event to the request of the reply: what the simulation
    does before and after is not in it (though it does it in the same loop, and so may hold it up).
    """

    def __init__(self, env: Any, app: Any, channel: Any, people: list[Any]) -> None:
        self._env = env
        self._channel = channel
        self._people = people
        self._seeds = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[float | None]] = {}
        self._request = env.bot.http.request
        env.bot.http.request = self._see
        env.bot.add_listener(self._on_error, "on_command_error")
        self.refused = 0

    async def _see(self, route: Any, **options: Any) -> Any:
        for part in options.get("form") or ():
            if part["name"] == "payload_json" and (seed := re.search(r"Bag \w+-(\d+)", str(part["value"]))):
                reply = self._waiting.pop(int(seed[1]), None)
                if reply is not None and not reply.done():
                    reply.set_result(time.perf_counter())
        return await self._request(route, **options)

    async def _on_error(self, context: Any, error: Exception) -> None:
        reply = self._waiting.pop(int(context.message.content.split()[-1]), None)
        if reply is not None:
            self.refused += 1
            reply.set_result(None)

    async def _ask(self, person: Any) -> float | None:
        """Seconds to the reply; None if there was a refusal instead, such as of a line that is too long."""
        seed = next(self._seeds)
        self._waiting[seed] = reply = asyncio.get_running_loop().create_future()
        asked = time.perf_counter()
        self._env.backend.create_message(self._channel.id, person.id, f"!bag {seed}")
        async with asyncio.timeout(120):
            replied = await reply
        return replied and replied - asked

    def rest(self) -> None:
        """Forget what the simulated Discord remembers of all requests: it is not for the bot to carry."""
        self._env.backend.http_requests.clear()
        self._env.backend.transcript.clear()
        freeze_memory()

    async def talk(self, people: int, seconds: float, pause: float) -> list[float]:
        """Let people ask, wait for the reply, and pause for half to one and a half of `pause` seconds."""
        waited: list[float] = []
        end = time.perf_counter() + seconds

        async def person(actor: Any) -> None:
            await asyncio.sleep(random.random() * min(pause, seconds / 2))
            while time.perf_counter() < end:
                took = await self._ask(actor)
                if took is not None:
                    waited.append(took)
                await asyncio.sleep(random.uniform(0.5, 1.5) * pause)

        await asyncio.gather(*(person(actor) for actor in self._people[:people]))
        return waited

    async def talk_settled(self, times: int) -> list[float]:
        """Seconds of whole replies, until the simulated Discord says that all has come to rest."""
        waited = []
        for _ in range(times):
            asked = time.perf_counter()
            await self._people[0].send(self._channel, f"!bag {next(self._seeds)}")
            waited.append(time.perf_counter() - asked)
        return waited


async def until(holds: Any, seconds: float = 600) -> None:
    """Wait for something that happens by itself."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.2)


def tell(text: str) -> None:
    """Progress, for who waits."""
    sys.stderr.write(f"{time.strftime('%X')} {text}\n")


async def phase(name: str, crowd: Crowd, people: int, seconds: float, pause: float) -> dict[str, Any]:
    """Let people talk to the bot for a while; the figures."""
    tell(f"{name}, {people} there")
    crowd.rest()
    async with ticking() as (ticker, machine):
        began = time.perf_counter()
        refused = crowd.refused
        waited = await crowd.talk(people, seconds, pause)
        took = time.perf_counter() - began
    worst = sorted(ticker.stalls, key=lambda stall: -stall.late)
    busiest = sorted(ticker.stalls, key=lambda stall: -stall.own)
    return {
        "phase": name,
        "people": people,
        "replies": len(waited),
        "refused": crowd.refused - refused,
        "per_second": round(len(waited) / took, 1),
        "reply_p50_ms": percentile(waited, 0.5),
        "reply_p95_ms": percentile(waited, 0.95),
        "reply_p99_ms": percentile(waited, 0.99),
        "stall_ms": round(1000 * max(ticker.late), 1),
        "stall_p99_ms": percentile(ticker.late, 0.99),
        "own_ms": round(1000 * max(ticker.own), 1),
        "collector_ms": round(1000 * max(ticker.collections, default=0), 1),
        "machine": machine,
        "worst": [vars(stall) for stall in worst[:5]],
        "busiest": [vars(stall) for stall in busiest[:5]],
    }


CONFIG = """
[scraper]
folder = "{folder}/shop"
dataset = "{folder}/dataset"
[gan]
dataset = "{folder}/dataset"
runs = "{folder}/runs"
checkpoint_seconds = 10
[gan.recipe]
channels = {channels}
[bot]
store = "sqlite+aiosqlite:///{folder}/bot.db"
favorites = "{folder}/favorites"
generators = "{folder}/generators"
train_minutes = 60
cooldown_seconds = 0
server_per_minute = 0
dream_at = ""
best_at = ""
scrape_at = ""
train_at = ""
"""


def _prepare(folder: Path, channels: int) -> Path:
    """Settings and a dataset of colored squares; its config.toml. A trainer works as hard on those."""
    config = folder / "config.toml"
    config.write_text(CONFIG.format(folder=folder.as_posix(), channels=channels))
    pictures = folder / "pictures"
    pictures.mkdir()
    chance = np.random.default_rng(0)
    for number in range(600):
        noise = np.kron(chance.integers(0, 255, (8, 8, 3), np.uint8), np.ones((8, 8, 1), np.uint8))
        Image.fromarray(noise).save(pictures / f"{number}.png")
    for arguments in (["import", str(pictures)], ["build"]):
        command = [sys.executable, "-m", "scraper", "--config", str(config), *arguments]
        subprocess.run(command, check=True, stdout=sys.stderr)
    return config


async def measure_replies(seconds: float, channels: int) -> tuple[list[dict[str, Any]], float]:
    """All phases, and the median in ms of a reply until the simulated Discord has settled."""
    import simcord

    from bot.app import App
    from bot.settings import load_config

    with tempfile.TemporaryDirectory(prefix="bench-bot-") as name:
        folder = Path(name)
        app = App(load_config(await asyncio.to_thread(_prepare, folder, channels)))
        async with (
            app,
            simcord.run(app.create_bot(), shard_count=1, check_errors=False, settle_timeout=60) as env,
        ):
            owner = env.create_user("owner")
            guild = env.create_guild("Benchmark", owner=owner)
            channel = guild.create_text_channel("bag-dreams")
            people = [guild.add_member(env.create_user(f"person{n}")) for n in range(max(CROWDS))]
            await env.settle()
            crowd = Crowd(env, app, channel, people)
            trainer, runs = app.trainer, folder / "runs"

            def grids() -> int:
                return sum(1 for _ in runs.glob("*/grids/*.png"))

            trainer.start()
            await until(lambda: list(runs.glob("*/generator.safetensors")))
            trainer.stop()
            await until(lambda: not trainer.running)
            tell("a generator is there")
            settled = await crowd.talk_settled(25)
            found = [await phase("idle", crowd, n, seconds, _pause(n)) for n in CROWDS]
            found.append(await phase("nonstop", crowd, 50, seconds, 0.0))
            before = grids()
            trainer.start()
            await until(lambda: grids() > before)
            found += [await phase("training", crowd, n, seconds, _pause(n)) for n in CROWDS]
            if not trainer.running:
                raise RuntimeError("the trainer ended too soon")
    return found, percentile(settled[5:], 0.5)


def _pause(people: int) -> float:
    return PAUSE if people > 1 else 0.5


def show(found: list[dict[str, Any]], settled: float) -> None:
    """The tables, and what the loop was doing in its longest stalls."""
    columns = (
        "replies",
        "refused",
        "per_second",
        "reply_p50_ms",
        "reply_p95_ms",
        "reply_p99_ms",
        "stall_ms",
        "own_ms",
    )
    print(f"{'phase':10}{'people':>7}" + "".join(f"{name:>14}" for name in columns), end="")
    print(f"{'machine_ms':>12}{'busy':>6}{'steal':>7}")
    for row in found:
        print(f"{row['phase']:10}{row['people']:7}" + "".join(f"{row[name]:14}" for name in columns), end="")
        machine = row["machine"]
        print(f"{machine['stall_ms']:12}{machine['busy']:6}{machine['steal']:7}")
    print(f"\nIdle, one person, with all that the simulated Discord does around it: {settled} ms\n")
    for row in found:
        print(f"\n{row['phase']}, {row['people']} there: the longest stalls, and the most work")
        for stall in row["worst"] + [stall for stall in row["busiest"] if stall not in row["worst"]]:
            times = ", ".join(f"{1000 * stall[part]:.0f} ms {part}" for part in ("late", "own", "queued"))
            print(f"  {times}: {stall['doing']}")


def main() -> None:
    """Measure, then print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bot",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=40, help="of each phase")
    parser.add_argument("--quick", action="store_true", help="8 s a phase")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--channels", type=int, default=128, help="width of the network that is trained")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("discord").setLevel(logging.ERROR)
    found, settled = asyncio.run(measure_replies(8 if options.quick else options.seconds, options.channels))
    if not options.json:
        show(found, settled)
        return
    asked = next(row for row in found if row["phase"] == "training" and row["people"] == 50)
    nonstop = next(row for row in found if row["phase"] == "nonstop")
    print(
        json.dumps(
            {
                name: asked[name]
                for name in ("reply_p50_ms", "reply_p95_ms", "reply_p99_ms", "stall_ms", "own_ms")
            }
            | {"commands_per_second": nonstop["per_second"], "settled_reply_p50_ms": settled}
            | {"phases": found}
        )
    )


if __name__ == "__main__":
    main()
