"""The bot as it is run, `python -m bot`, against a small Discord on loopback.

The fixture `wire` is that Discord (`discord_server.Wire`), with a server, its channel #bag-dreams, Ada (who
manages it) and Ben; a test fails if the bot sends anything that Discord would refuse. In it:

    async def test_a_bag(wire):
        async with wire.bot() as bot:                          # started and connected
            answer = await wire.ben.send(wire.channel, "!bag 42").picture()
            click = wire.ada.click(answer, "bag:up")           # the button whose custom id begins so
            await click.acknowledgement()
            assert await bot.stop() == 0                       # SIGTERM; the exit code

- People act by plain calls (`send`, `dm`, `slash`, `type`, `menu`, `click`, `choose`, `submit`) that return a
  message or an interaction at once; `await ….answer()` waits for what comes of it (`….picture()` for one
  with a file), `person.told` is what the bot said to them alone. `wire.thinking()` and `wire.failed()` are
  those who were left without an answer.
- `wire.fail("POST", "/channels/*/messages", status=500, after_effect=True)` lets requests go wrong,
  `async with wire.outage()` takes all of it away, `wire.gateway` breaks connections (`close`, `cut`,
  `reconnect`, `invalidate`, `fall_silent`, `refuse`) and sends any event (`dispatch`).
- `wire.calls` are the requests of the bot, `wire.gateway.identifies` its IDENTIFYs, `bot.log` what it wrote.
- `wire.bot(extra, wait=False)` starts it with more lines in config.toml and waits for nothing; a second one
  finds the folder as the first one left it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from gan import events
from gan.run import Run
from tests.bot.world import begin_run, end_epoch, finish_run, make_generator, until
from tests.wire.discord_server import Wire
from tests.wire.models import Channel, Guild
from tests.wire.people import Person

ROOT = Path(__file__).parents[2]
CONFIG = """
[scraper]
folder = "{folder}/shop"
dataset = "{folder}/dataset"
[gan]
dataset = "{folder}/dataset"
runs = "{folder}/runs"
[bot]
store = "sqlite+aiosqlite:///{folder}/bot.db"
favorites = "{folder}/favorites"
generators = "{folder}/generators"
cooldown_seconds = 0
server_per_minute = 0
dream_at = ""
best_at = ""
scrape_at = ""
train_at = ""
{extra}
"""


def report(measured: str) -> None:
    """Show something measured, of which no test makes a limit: `pytest -rP` prints it, `-s` at once."""
    print(measured)  # noqa: T201


class BotProcess:
    """`python -m bot`, running or ended."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self._log = log
        self.stop_seconds = 0.0
        """How long it took to end after the signal."""

    @property
    def log(self) -> str:
        """All that it and its children have written, to standard output and standard error."""
        return self._log.read_text()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    @property
    def children(self) -> list[Path]:
        """Of each process that it has started, the folder in /proc (of Linux)."""
        ids = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [Path("/proc", process) for process in ids]

    async def end(self) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        async with asyncio.timeout(300):
            return await self.process.wait()

    async def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """End it by a signal, and wait for that; the exit code."""
        began = time.monotonic()
        with suppress(ProcessLookupError):
            self.process.send_signal(by)
        code = await self.end()
        self.stop_seconds = time.monotonic() - began
        return code


class BotWire(Wire):
    """A small Discord with a server in it, which can start the bot."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        """Where the bot works: config.toml, bot.db, runs."""
        self.ada: Person = self.person("Ada")
        """The owner of the server."""
        self.ben: Person = self.person("Ben")
        """A member."""
        self.guild: Guild = self.add_guild("Bag Lovers", self.ada)
        self.guild.join(self.ben)
        self.channel: Channel = self.guild.channel("bag-dreams")
        """The home channel."""
        self._starts = 0

    @asynccontextmanager
    async def bot(
        self, extra: str = "", *, wait: bool = True, before: Sequence[str] = (), **environment: str
    ) -> AsyncIterator[BotProcess]:
        """The bot, ended at the latest with the context; `extra` goes into config.toml below [bot].

        It is connected, unless it should not be waited for. `before` is a command that runs it.
        """
        config, self._starts = self.folder / "config.toml", self._starts + 1
        config.write_text(CONFIG.format(folder=self.folder.as_posix(), extra=extra))
        given = {
            name: value for name, value in os.environ.items() if not name.startswith(("BOT_", "DISCORD_"))
        }
        path = os.pathsep.join([str(Path(__file__).parent / "path"), str(ROOT)])
        log = self.folder / f"bot-{self._starts}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *before,
                sys.executable,
                "-m",
                "bot",
                cwd=self.folder,
                env=given | {"PYTHONPATH": path, "WIRE": self.url, "DISCORD_TOKEN": self.token} | environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        bot = BotProcess(process, log)
        try:
            if wait:
                identifies = len(self.gateway.identifies)
                with suppress(TimeoutError):
                    await until(
                        lambda: (
                            (len(self.gateway.identifies) > identifies and self.gateway.ready)
                            or process.returncode is not None
                        )
                    )
                assert process.returncode is None, bot.log
                assert self.gateway.ready, bot.log
            yield bot
        finally:
            if process.returncode is None:
                with suppress(TimeoutError):
                    await asyncio.wait_for(bot.stop(), 60)
            with suppress(ProcessLookupError):  # what it may have left behind
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


@pytest.fixture(scope="session")
def dreaming(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder with one finished run, made once."""
    runs = tmp_path_factory.mktemp("dreaming") / "runs"
    run = Run(runs / "2026-01-01-0000")
    version = make_generator(run)
    begin_run(run)
    for number in (1, 2, 3):
        end_epoch(run, number)
        events.append(run.path, events.Checkpoint(epoch=number, version=version))
    finish_run(run, 3)
    return runs


@pytest.fixture
async def wire(tmp_path: Path, dreaming: Path) -> AsyncIterator[BotWire]:
    """A small Discord, and a folder with a generator for the bot; see above."""
    shutil.copytree(dreaming, tmp_path / "runs")
    async with BotWire(tmp_path) as opened:
        yield opened
    assert not opened.violations
