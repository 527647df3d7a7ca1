"""`python -m bot`: the real bot with a DISCORD_TOKEN, the demo without."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing, suppress
from types import FrameType


def say_stopping() -> None:
    """Answer Ctrl-C; past Python's buffers, which a signal may have interrupted."""
    with suppress(OSError):
        os.write(2, "stopping…\n".encode(sys.stderr.encoding, "replace"))


def leave_at_once(number: int, _frame: FrameType | None) -> None:
    """Ctrl-C or SIGTERM while nothing is open yet, or nothing any more; the exit code is a shell's."""
    say_stopping()
    os._exit(128 + number)


if __name__ == "__main__":
    # Before the imports, which take a second. The first process of a container hears no signal by default.
    signal.signal(signal.SIGINT, leave_at_once)
    signal.signal(signal.SIGTERM, leave_at_once)

import asyncio
import io
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """Examples:

\b
  bag-dreams                          the bot; the demo without DISCORD_TOKEN
  bag-dreams check                    what is missing, and how to fix it
  bag-dreams gallery site             a static site in the folder `site`
  bag-dreams backup bags.zip          while the bot runs; `restore bags.zip` puts it back
"""

# Nothing else here: each command loads only what it needs, and `--help` hardly anything.
app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None, epilog=EXAMPLES)


CONFIG = Path("config.toml")
"""The default, which may be missing."""
ENV_FILE = Path(".env")
TOKEN = "DISCORD_TOKEN"  # noqa: S105  # the name of it


@dataclass(frozen=True)
class Start:
    """What every command may need: the path of the settings, and the token if there is one."""

    config: Path
    token: str | None


def secret_token() -> str | None:
    """The token from the environment, else from .env; None if there is none. Raises SettingsError.

    From now on it is in no environment that a child process inherits.
    """
    given = [os.environ.pop(name) for name in list(os.environ) if name.upper() == TOKEN]
    token = given[0] if given else _env_file().get(TOKEN)
    return (token or "").strip() or None


def _env_file() -> dict[str, str | None]:
    from dotenv import dotenv_values

    from gan.toml_settings import SettingsError, decoded

    try:
        text = decoded(ENV_FILE.read_bytes())
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise SettingsError(f"{ENV_FILE}: neither UTF-8 nor UTF-16: save it as UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{ENV_FILE}: {error.strerror}") from error
    return {name.upper(): value for name, value in dotenv_values(stream=io.StringIO(text)).items()}


def fail(message: str) -> typer.Exit:
    """Say in one line what is wrong; the exit with code 2 for the caller to raise."""
    typer.echo(f"bag-dreams: {message}", err=True)
    return typer.Exit(2)


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="The settings' file.")] = CONFIG,
) -> None:
    """The Discord bot that dreams handbags. Without DISCORD_TOKEN it starts the demo."""
    from bot import logs
    from gan.toml_settings import SettingsError

    if isinstance(sys.stdout, io.TextIOWrapper):  # not every locale can print a ✓
        sys.stdout.reconfigure(errors="backslashreplace")
    logs.set_up()
    if config != CONFIG and not config.exists():
        raise fail(f"--config {config}: there is no such file")
    try:
        start = context.obj = Start(config, secret_token())
    except SettingsError as error:
        raise fail(str(error)) from error
    if context.invoked_subcommand is None:
        if start.token is not None:
            serve(config, start.token)
        else:
            demo()


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the chat page; another one if it is taken.")] = 8000,
    folder: Annotated[Path, typer.Option(help="Where everything that the demo writes goes.")] = Path(
        "data/demo"
    ),
) -> None:
    """The whole bot without Discord: a shop, a crawl, a training run and a chat page on this machine."""
    import logging

    # What the simulated Discord is warned of concerns nobody.
    logging.getLogger("discord").setLevel(logging.ERROR)
    try:
        from bot.demo.run import Demo
    except ModuleNotFoundError as error:
        from bot import words

        raise fail(words.without_demo(error.name or "")) from error

    async def run() -> None:
        async with Demo(folder, port) as running:
            typer.echo(f"\n  Bag Dreams is dreaming at {running.address}   (Ctrl-C ends it)\n")
            await asyncio.Event().wait()

    until_stopped(run())


@app.command()
def check(context: typer.Context) -> None:
    """What works and what does not: token, intents, servers, store, generator, dataset, schedule, disk.

    Exits with code 2 if something needs fixing.
    """
    import logging

    # What the libraries say of their own accord is not for a table.
    logging.disable(logging.WARNING)
    from bot.check import findings, line
    from bot.drawing.workers import DrawingPool
    from bot.settings import load_config

    async def run() -> None:
        good = True
        with closing(DrawingPool()) as pool:
            async for finding in findings(load_config(context.obj.config), context.obj.token, pool):
                typer.echo(line(finding))
                good = good and finding.good
        if not good:
            raise typer.Exit(2)

    try:
        until_stopped(run())
    finally:
        logging.disable(logging.NOTSET)


@app.command()
def gallery(
    context: typer.Context,
    out: Annotated[Path, typer.Argument(help="The folder to write; a second time only changes are written.")],
    url: Annotated[
        str, typer.Option(help="The address at which it will be, for the feed and for link previews.")
    ] = "",
) -> None:
    """A static site of the favorites, the daily bags, their family trees and the timelapses."""
    from sqlalchemy import make_url

    from bot import words
    from bot.drawing.workers import DrawingPool
    from bot.formats import counted
    from bot.gallery.build import build
    from bot.settings import load_config

    if url and not url.startswith(("http://", "https://")):
        raise fail(f"--url {url}: must begin with https:// or http://")

    async def run() -> None:
        with closing(DrawingPool()) as pool:
            config = load_config(context.obj.config)
            report = await build(config, pool, out, url)
        typer.echo(
            f"{out}: {counted(report.bags, 'bag')} and {counted(report.runs, 'run')}; "
            f"{counted(report.written, 'file')} written, {report.removed:,} removed"
        )
        if not (report.bags or report.runs):
            store = make_url(config.bot.store).render_as_string(hide_password=True)
            typer.echo(words.empty_gallery(store, config.gan.runs))

    until_stopped(run())


@app.command("backup")
def back_up(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file to write, over an older one.")],
) -> None:
    """Save the store, the favorites and the generators in use to one file, while the bot runs."""
    from bot.backup import backup
    from bot.settings import load_config

    async def run() -> None:
        contents = await backup(load_config(context.obj.config), file)
        typer.echo(f"{file}: {contents}")

    until_stopped(run())


@app.command("restore")
def put_back(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that `backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Also over a store that is in use.")] = False,
) -> None:
    """Put a backup in place. It is checked first, and the bot must not be running."""
    from bot.backup import restore
    from bot.settings import load_config

    async def run() -> None:
        contents = await restore(load_config(context.obj.config), file, force)
        typer.echo(f"{file} is in place: {contents}")

    until_stopped(run())


def serve(path: Path, token: str) -> None:
    """The real bot. Exits with code 2 and one line for what only a person can fix."""
    from bot import logs, words

    if token.count(".") != 2:
        raise fail(words.WRONG_SHAPE)
    from bot.app import App  # which takes a second: wrong tokens are refused at once
    from bot.settings import load_config

    async def run() -> None:
        config = load_config(path)
        config.check_folders()
        logs.set_up(config.bot.log)
        async with App(config) as running:
            await running.serve(token)

    until_stopped(run())


def until_stopped(work: Coroutine[None, None, None]) -> None:
    """Run until Ctrl-C or SIGTERM, closing in good order; known errors become one line and code 2."""
    import discord

    from bot import words
    from bot.errors import BackupError, Refusal, StoreError
    from bot.gallery.folder import GalleryError
    from gan.toml_settings import SettingsError

    task: asyncio.Task[None] | None = None
    stopping = False

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        if stopping:  # a second Ctrl-C must not break off what the first one began
            return
        stopping = True
        if number == signal.SIGINT:
            say_stopping()
        if task is not None:
            task.get_loop().call_soon_threadsafe(task.cancel)

    async def stoppable() -> None:
        nonlocal task
        task = asyncio.create_task(work)
        if stopping:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    # Not the loop's own handlers: those wait while the loop is busy, and end with it.
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        asyncio.run(stoppable())
    except (SettingsError, StoreError, GalleryError, BackupError, Refusal) as error:
        raise fail(str(error)) from error
    except discord.LoginFailure as error:
        raise fail(f"Discord refused DISCORD_TOKEN. {words.RESET_IN_PORTAL}.") from error
    except discord.ConnectionClosed as error:
        raise fail(words.connection_closed(error.code)) from error
    except OSError as error:
        raise fail(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}") from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(app())
