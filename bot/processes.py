"""The bot's child processes: the trainer and the scraper. They run beside the event loop, never on it."""

from __future__ import annotations

import asyncio
import ctypes
import json
import logging
import os
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from bot import words
from gan.atomic import write_atomically
from gan.run import newest
from gan.run_state import read_progress

NICE, GROUP_NICE = 10, 5
SAVING_SECONDS = 60.0
LARGE_LOG = 5_000_000
"""Bytes after which the next process begins a new log."""
Say = Callable[[str], Awaitable[None]]
log = logging.getLogger(__name__)


def _end_with_parent() -> None:
    """In the new process: ask the kernel for a SIGTERM when the bot is gone, even if it was killed.

    The trainer then saves a checkpoint, and the next bot resumes from it instead of meeting a stranger.
    """
    pr_set_pdeathsig = 1  # linux/prctl.h
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def _yield_processor(pid: int) -> None:
    """Give a child with its own session less processor than the bot: answering goes before learning."""
    if sys.platform == "win32":
        return
    with suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
    # Where Linux groups processes by session, niceness counts only within one; see autogroup in sched(7).
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(GROUP_NICE))


def _make_room(log_file: Path) -> None:
    """Set a log aside that has grown large; the one before it goes."""
    log_file.parent.mkdir(parents=True, exist_ok=True)
    if log_file.exists() and log_file.stat().st_size > LARGE_LOG:
        log_file.replace(f"{log_file}.1")


class ChildProcess(ABC):
    """A command that is started when somebody asks, one at a time.

    Asking only sets an event: the process belongs to the task in `run`, whoever asked.
    """

    useful = True
    """Whether a start by the schedule makes sense."""
    label: ClassVar[str]
    """By which dashboards know it; see `health`."""

    def __init__(self, name: str, config: Path, log_file: Path, say: Say) -> None:
        self.name = name
        self._config = config
        self._log_file = log_file
        self._say = say
        self._wanted = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._working = False
        self._stopping = False
        self._asked = True

    @property
    def running(self) -> bool:
        """Whether it works or is about to."""
        return self._working or self._wanted.is_set()

    async def start(self, asked: bool = True) -> bool:
        """Ask for a start; False if it is at work already. `asked` says whether somebody waits to hear."""
        if self.running:
            return False
        self._asked = asked
        self._wanted.set()
        return True

    async def stop(self) -> bool:
        """Ask it to finish in good order (SIGTERM); False if it is not at work."""
        if not self.running:
            return False
        self._wanted.clear()
        self._stopping = self._working
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
        return True

    async def run(self) -> None:
        """Do what is asked for, until cancelled; a child that is at work then is stopped first."""
        try:
            while True:
                await self._wanted.wait()
                if not self._wanted.is_set():
                    continue  # stopped before it began
                self._working, self._stopping = True, False
                self._wanted.clear()
                try:
                    await self._work()
                finally:
                    self._working = False
        finally:
            await self._end()

    @abstractmethod
    async def _work(self) -> None:
        """What one start does, to its end."""

    async def _call(self, *arguments: str, on_line: Callable[[bytes], None] | None = None) -> int:
        """Run `python -m …` to its end; what it prints goes to the log file, or its lines to `on_line`."""
        await asyncio.to_thread(_make_room, self._log_file)
        with self._log_file.open("ab") as output:
            process = self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                arguments[0],
                "--config",
                str(self._config),
                *arguments[1:],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if on_line else output,
                stderr=output,
                # Ctrl-C is for the bot, which then stops its children in good order.
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        if self._stopping:  # somebody said so while it was starting
            process.terminate()
        _yield_processor(process.pid)
        try:
            if on_line is not None and process.stdout is not None:
                async for line in process.stdout:
                    on_line(line)
            return await process.wait()
        finally:
            if process.returncode is not None:
                self._process = None

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(30):
                await process.wait()
        except TimeoutError:
            log.warning("the %s does not stop; killing it", self.name)
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self._process = None

    def _last_line(self) -> str:
        try:
            text = self._log_file.read_bytes()[-2000:].decode(errors="replace")
        except OSError:
            return ""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return lines[-1] if lines else ""


class TrainerProcess(ChildProcess):
    """`python -m gan train`, which resumes where it left off.

    The file `wanted` in the folder of runs says whether training is wanted: from the moment somebody asks,
    until the run has ended or somebody stops it. Whatever ends the bot in between, the next one goes on.
    """

    label = "trainer"

    def __init__(self, config: Path, runs: Path, minutes: float, say: Say) -> None:
        super().__init__("trainer", config, runs / "trainer.log", say)
        self._runs = runs
        self._minutes = minutes
        self._wanted_file = runs / "wanted"

    async def start(self, asked: bool = True) -> bool:
        """Ask for a start, which outlasts the bot; False if it is at work already."""
        if self.running:
            return False
        await asyncio.to_thread(self._want, True)
        return await super().start(asked)

    async def stop(self) -> bool:
        """Ask it to save a checkpoint and end; no later bot resumes it. False if it is not at work."""
        if not self.running:
            return False
        await asyncio.to_thread(self._want, False)
        return await super().stop()

    async def resume(self) -> None:
        """Go on with a run that is still wanted, however the bot or the machine ended."""
        if await asyncio.to_thread(self._still_wanted):
            await self.start()

    def _want(self, training: bool) -> None:
        self._runs.mkdir(parents=True, exist_ok=True)
        write_atomically(self._wanted_file, b"training\n" if training else b"nothing\n")

    def _still_wanted(self) -> bool:
        if self._wanted_file.exists():
            return self._wanted_file.read_bytes().strip() == b"training"
        # Before 0.2 a file was left by a bot that ended in good order, and none by one that was killed.
        progress = read_progress(self._runs)
        return (self._runs / "interrupted").exists() or (progress is not None and progress.state == "running")

    def _is_trained(self) -> bool:
        run = newest(self._runs)
        return run is not None and run.is_locked

    async def _last_one_ended(self) -> None:
        """Wait, but not for long, for the trainer of a bot that was killed: it is saving a checkpoint."""
        with suppress(TimeoutError):
            async with asyncio.timeout(SAVING_SECONDS):
                while await asyncio.to_thread(self._is_trained):
                    log.info("waiting for the trainer of an earlier bot to end")
                    await asyncio.sleep(1)

    async def _work(self) -> None:
        await self._last_one_ended()
        if self._stopping:
            return  # stopped meanwhile
        code = await self._call("gan", "train", "--minutes", str(self._minutes))
        progress = await asyncio.to_thread(read_progress, self._runs)
        state = progress and progress.state
        # A service manager stops the trainer and the bot at once: a run that the bot has not stopped goes on.
        if code != 0 or state != "stopped" or self._stopping:
            await asyncio.to_thread(self._want, False)
        # A run that failed says so itself, in its thread; a trainer that was killed can't.
        if code != 0 and not self._stopping and state != "failed":
            await self._say(words.child_died(self.name, code, self._last_line()))


class ScraperProcess(ChildProcess):
    """`python -m scraper collect`, then `build`; announces what was found."""

    label = "collector"

    def __init__(self, config: Path, folder: Path, shops: int, say: Say) -> None:
        super().__init__("scraper", config, folder / "collector.log", say)
        self.useful = shops > 0
        self.done = asyncio.Event()
        """Set when a crawl has ended, well or not."""

    async def _work(self) -> None:
        self.done.clear()
        try:
            await self._collect()
        finally:
            self.done.set()

    async def _collect(self) -> None:
        said: list[dict[str, object]] = []
        for verb in ("collect", "build"):
            code = await self._call(
                "scraper", verb, "--json", on_line=lambda line: said.append(json.loads(line))
            )
            if self._stopping:
                await self._say(words.scrape_stopped(_new_of(said)))
                return
            # A crawl in which a shop had a problem also ends with code 2, but reports it; `build` follows.
            if code != 0 and not any(event["event"] == "problem" for event in said):
                await self._say(words.child_died(self.name, code, self._last_line()))
                return
        problems = [(str(one["shop"]), str(one["message"])) for one in said if one["event"] == "problem"]
        for shop, problem in problems:
            log.warning("%s: %s", shop, problem)
        if problems:
            await self._say(words.shop_problems(problems))
        found = _new_of(said)
        images = next((int(str(event["images"])) for event in said if event["event"] == "built"), None)
        if self._asked or any(found.values()):  # nobody wants to hear every night that there is nothing
            await self._say(words.collected(found, images))


def _new_of(said: list[dict[str, object]]) -> dict[str, int]:
    """How many new bags each shop had."""
    return {str(event["shop"]): int(str(event["new"])) for event in said if event["event"] == "shop"}
