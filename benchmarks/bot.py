"""How long the bot keeps people waiting, and Discord's heartbeat, while a run trains on the same machine.

    python -m benchmarks.bot [--quick] [--minutes 5] [--json] [--channels 128]

The whole demo runs: shop, crawl, real trainer, real bot, simulated Discord, chat page. People are a process
of their own; they have the page's socket open and send `!bag SEED` by HTTP; a reply counts when it is there.
In the bot's event loop a task asks to be woken every 5 ms: how late it wakes is a stall. Each stall is split
into the loop's own work (CPU time of its thread), waiting for a processor (the kernel's run queue), and the
rest (I/O, the GIL); a thread samples what the loop was doing. Another process, which does nothing else, ticks
beside: its stalls are the machine's. Linux only.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import os
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TICK = 0.005
WORTH_TELLING = 0.03
PEOPLE = ("ada", "ben", "chloe")
PAUSE = 1.0
SETTLED = 0.9


@dataclass
class Stall:
    """One late waking, in seconds: how late, and how much of that was own work or waiting for a processor."""

    late: float
    own: float
    queued: float
    doing: str = ""


@dataclass
class Ticker:
    """Wakes every 5 ms in the running loop and notes how late it is."""

    late: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    stalls: list[Stall] = field(default_factory=list)
    collections: list[float] = field(default_factory=list)
    woken: float = 0.0

    async def run(self) -> None:
        """Tick until cancelled."""
        with _run_queue() as queued, self._sampled() as doing, self._collected():
            cpu, waited, collected = time.thread_time(), queued(), 0
            while True:
                self.woken = due = time.perf_counter()
                await asyncio.sleep(TICK)
                late = time.perf_counter() - due - TICK
                cpu_now, waited_now = time.thread_time(), queued()
                own = cpu_now - cpu
                self.late.append(late)
                self.own.append(min(own, late))
                if late > WORTH_TELLING:
                    seen = _commonest(doing)
                    if spent := sum(self.collections[collected:]):
                        seen = f"garbage collector for {1000 * spent:.0f} ms in {seen}"
                    self.stalls.append(Stall(late, own, waited_now - waited, seen))
                doing.clear()
                cpu, waited, collected = cpu_now, waited_now, len(self.collections)

    @contextlib.contextmanager
    def _sampled(self) -> Iterator[list[str]]:
        """What the loop's thread does whenever it is late: a list that fills by itself."""
        watched, seen, over = threading.get_ident(), list[str](), threading.Event()

        def watch() -> None:
            while not over.wait(TICK):
                if time.perf_counter() - self.woken > 3 * TICK and (
                    frame := sys._current_frames().get(watched)
                ):
                    seen.append(_place(frame))

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join()

    @contextlib.contextmanager
    def _collected(self) -> Iterator[None]:
        """Note the pauses of the garbage collector."""
        began = 0.0

        def note(phase: str, info: dict[str, int]) -> None:
            nonlocal began
            if phase == "start":
                began = time.thread_time()
            elif info["generation"] == 2:
                self.collections.append(time.thread_time() - began)

        gc.callbacks.append(note)
        try:
            yield
        finally:
            gc.callbacks.remove(note)


@contextlib.contextmanager
def _run_queue() -> Iterator[Any]:
    """A function that tells the seconds for which this thread was ready to run, but had no processor."""
    with Path("/proc/thread-self/schedstat").open("rb", buffering=0) as file:
        yield lambda: int(os.pread(file.fileno(), 100, 0).split()[1]) / 1e9


def _place(frame: Any) -> str:
    """The innermost frames of a stack, ours and others', without the loop's machinery."""
    stack = [
        f"{Path(line.filename).parent.name}/{Path(line.filename).name}:{line.lineno} {line.name}"
        for line in traceback.extract_stack(frame)
        if not any(part in line.filename for part in ("asyncio", "/benchmarks/", "<frozen"))
    ]
    return " > ".join(stack[-8:])


def _commonest(samples: list[str]) -> str:
    return Counter(samples).most_common(1)[0][0] if samples else "(the loop was idle or too short to see)"


def _percentile(values: list[float], share: float) -> float:
    """In ms; 0 for nothing."""
    return round(1000 * sorted(values)[min(int(share * len(values)), len(values) - 1)], 1) if values else 0.0


# The people, a process of their own ----------------------------------------------------------


async def visit(address: str, people: int, seconds: float, first: int) -> list[float]:
    """Seconds from each message to its reply, of so many people. Raises RuntimeError for a refusal."""
    import aiohttp

    waited: list[float] = []
    seeds = iter(range(first, 2**31))
    end = time.monotonic() + seconds

    async def sit(session: aiohttp.ClientSession, name: str) -> None:
        async with session.ws_connect(f"{address}/ws?as={name}", max_msg_size=0) as page:
            async for _ in page:
                pass

    async def speak(session: aiohttp.ClientSession, name: str, delay: float) -> None:
        await asyncio.sleep(delay)
        async with session.get(f"{address}/state?as={name}") as answer:
            home = (await answer.json())["channel"]
        while time.monotonic() < end:
            seed = next(seeds)
            action = {"do": "send", "channel": home, "text": f"!bag {seed}"}
            sent = time.monotonic()
            async with session.post(f"{address}/act?as={name}", json=action) as answer:
                done = await answer.json()
            if done != {"ok": True}:
                raise RuntimeError(done)
            while time.monotonic() - sent > SETTLED and not await there(session, seed):
                await asyncio.sleep(0.05)
            waited.append(time.monotonic() - sent)
            await asyncio.sleep(PAUSE)

    async def there(session: aiohttp.ClientSession, seed: int) -> bool:
        async with session.get(f"{address}/state") as answer:
            return f"-{seed}" in json.dumps(await answer.json())

    async with aiohttp.ClientSession() as session:
        names = PEOPLE[:people]
        pages = [asyncio.create_task(sit(session, name)) for name in names]
        await asyncio.gather(*(speak(session, name, n * PAUSE / people) for n, name in enumerate(names)))
        for page in pages:
            page.cancel()
    return waited


async def tick_beside() -> None:
    """The machine's own stalls: tick until standard input ends, then print them."""
    ticker = Ticker()
    task = asyncio.create_task(ticker.run())
    await asyncio.to_thread(sys.stdin.read)
    task.cancel()
    print(
        json.dumps([max(ticker.late, default=0), _percentile(ticker.late, 0.99), max(ticker.own, default=0)])
    )


# The bot --------------------------------------------------------------------------------------


async def _other(*arguments: str, lines: str = "") -> Any:
    """Run this module in a process of its own; the JSON that it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.bot", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(lines.encode())
    if process.returncode:
        raise RuntimeError(f"{arguments} ended with {process.returncode}")
    return json.loads(output)


async def until(holds: Any, seconds: float = 600) -> None:
    """Wait for something that happens by itself."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def _ticking() -> AsyncIterator[tuple[Ticker, dict[str, float]]]:
    """A ticker in this loop and one beside; afterwards the second one's figures are in the dict."""
    machine: dict[str, float] = {}
    beside = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.bot", "--tick"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    ticker = Ticker()
    before = _processor()
    task = asyncio.create_task(ticker.run())
    try:
        yield ticker, machine
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        output, _ = await beside.communicate(b"")
        after = _processor()
        longest, p99, own = json.loads(output)
        spent = [new - old for old, new in zip(before, after, strict=True)]
        machine |= {
            "stall_ms": round(1000 * longest, 1),
            "stall_p99_ms": p99,
            "own_ms": round(1000 * own, 1),
            "busy": round(1 - (spent[3] + spent[4]) / sum(spent), 2),
            "steal": round(spent[7] / sum(spent), 3),
        }


def _processor() -> list[int]:
    return [int(value) for value in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]


def tell(text: str) -> None:
    """Progress, for who waits."""
    sys.stderr.write(f"{time.strftime('%X')} {text}\n")


async def phase(name: str, address: str, people: int, seconds: float, first: int) -> dict[str, Any]:
    """Let people talk to the bot for a while; the figures."""
    tell(f"{name}, {people} there")
    async with _ticking() as (ticker, machine):
        waited = await _other("--visit", address, str(people), str(seconds), str(first))
    worst = sorted(ticker.stalls, key=lambda stall: -stall.late)
    busiest = sorted(ticker.stalls, key=lambda stall: -stall.own)
    return {
        "phase": name,
        "people": people,
        "replies": len(waited),
        "reply_p50_ms": _percentile(waited, 0.5),
        "reply_p95_ms": _percentile(waited, 0.95),
        "reply_p99_ms": _percentile(waited, 0.99),
        "stall_ms": round(1000 * max(ticker.late), 1),
        "stall_p99_ms": _percentile(ticker.late, 0.99),
        "own_ms": round(1000 * max(ticker.own), 1),
        "own_p99_ms": _percentile(ticker.own, 0.99),
        "collector_ms": round(1000 * max(ticker.collections, default=0), 1),
        "machine": machine,
        "worst": [vars(stall) for stall in worst[:5]],
        "busiest": [vars(stall) for stall in busiest[:5]],
    }


async def measure(minutes: float, channels: int) -> list[dict[str, Any]]:
    """Idle and training, one person and three."""
    from bot.demo.run import Demo

    os.environ["GAN_RECIPE__CHANNELS"] = str(channels)
    brief = min(minutes * 60 / 5, 30)
    with tempfile.TemporaryDirectory(prefix="bench-bot-") as folder:
        async with Demo(Path(folder), port=0, minutes=60) as demo:
            trainer, runs = demo.app.trainer, Path(folder, "runs")

            def grids() -> int:
                return sum(1 for _ in runs.glob("*/grids/*.png"))

            await until(lambda: list(runs.glob("*/generator.safetensors")))
            tell("a generator is there")
            trainer.stop()
            await until(lambda: not trainer.running)
            await _other("--visit", demo.address, "1", "5", "1")  # torch is loaded by the first dream
            found = [
                await phase("idle", demo.address, 1, brief, 1000),
                await phase("idle", demo.address, 3, brief, 2000),
            ]
            trainer.start()
            before = grids()
            await until(lambda: grids() > before)
            found.append(await phase("training", demo.address, 1, minutes * 60, 10_000))
            found.append(await phase("training", demo.address, 3, 2 * brief, 20_000))
            if not trainer.running:
                raise RuntimeError("the trainer ended too soon")
    return found


def show(found: list[dict[str, Any]]) -> None:
    """The table, and what the loop was doing in its longest stalls."""
    columns = (
        "replies",
        "reply_p50_ms",
        "reply_p95_ms",
        "reply_p99_ms",
        "stall_ms",
        "stall_p99_ms",
        "own_ms",
    )
    print(f"{'phase':10}{'people':>7}" + "".join(f"{name:>14}" for name in columns), end="")
    print(f"{'collector_ms':>14}{'machine_ms':>12}{'busy':>6}{'steal':>7}")
    for row in found:
        print(f"{row['phase']:10}{row['people']:7}" + "".join(f"{row[name]:14}" for name in columns), end="")
        machine = row["machine"]
        print(f"{row['collector_ms']:14}{machine['stall_ms']:12}{machine['busy']:6}{machine['steal']:7}")
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
    parser.add_argument("--minutes", type=float, default=5, help="of training with one person there")
    parser.add_argument("--quick", action="store_true", help="one minute")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--channels", type=int, default=128, help="width of the network that is trained")
    parser.add_argument("--visit", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--tick", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.tick:
        asyncio.run(tick_beside())
        return
    if options.visit:
        address, people, seconds, first = options.visit
        print(json.dumps(asyncio.run(visit(address, int(people), float(seconds), int(first)))))
        return
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("discord").setLevel(logging.ERROR)
    found = asyncio.run(measure(1 if options.quick else options.minutes, options.channels))
    if options.json:
        alone, crowd = (row for row in found if row["phase"] == "training")
        names = [name for name in alone if name.endswith("_ms")]
        print(
            json.dumps(
                {name: alone[name] for name in names}
                | {f"several_{name}": crowd[name] for name in names}
                | {f"idle_{name}": found[0][name] for name in names}
                | {f"machine_{name}": value for name, value in alone["machine"].items()}
                | {"phases": found}
            )
        )
    else:
        show(found)


if __name__ == "__main__":
    main()
