"""What holds up an event loop: its own work, waiting for a processor, or the machine. Linux only."""

import asyncio
import contextlib
import gc
import json
import os
import sys
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


async def tick_beside() -> None:
    """The machine's own stalls: tick until standard input ends, then print them."""
    ticker = Ticker()
    task = asyncio.create_task(ticker.run())
    await asyncio.to_thread(sys.stdin.read)
    task.cancel()
    print(
        json.dumps([max(ticker.late, default=0), percentile(ticker.late, 0.99), max(ticker.own, default=0)])
    )


@contextlib.asynccontextmanager
async def ticking() -> AsyncIterator[tuple[Ticker, dict[str, float]]]:
    """A ticker in this loop and one beside; afterwards the second one's figures are in the dict."""
    machine: dict[str, float] = {}
    beside = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__),
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


def percentile(values: list[float], share: float) -> float:
    """In ms; 0 for nothing."""
    return round(1000 * sorted(values)[min(int(share * len(values)), len(values) - 1)], 1) if values else 0.0


if __name__ == "__main__":
    asyncio.run(tick_beside())
