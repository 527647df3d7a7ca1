"""`python -m bot`: the real bot with a DISCORD_TOKEN, the demo without."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated

import discord
import typer
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot import logs, words
from bot.errors import Refusal, StoreError
from bot.formats import counted
from bot.gallery.folder import GalleryError
from bot.settings import load_config
from gan.toml_settings import SettingsError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Secrets(BaseSettings):
    """What must never stand in config.toml or in a log; from the environment or from .env."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    discord_token: SecretStr | None = None


def secret_token() -> str | None:
    """The token, if there is one. From now on it is in no environment that a child process inherits."""
    token = Secrets().discord_token
    os.environ.pop("DISCORD_TOKEN", None)
    return (token.get_secret_value().strip() or None) if token else None


def fail(message: str) -> typer.Exit:
    """Say in one line what is wrong; the exit with code 2 for the caller to raise."""
    typer.echo(f"bag-dreams: {message}", err=True)
    return typer.Exit(2)


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="The settings' file.")] = Path("config.toml"),
) -> None:
    """The Discord bot that dreams handbags. Without DISCORD_TOKEN it starts the demo."""
    logs.set_up()
    context.obj = config
    if context.invoked_subcommand is None:
        token = secret_token()
        if token is not None:
            serve(config, token)
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
    # What the simulated Discord is warned of concerns nobody.
    logging.getLogger("discord").setLevel(logging.ERROR)
    from bot.demo.run import Demo  # here, as below: each command loads only what it needs

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
    # What the libraries say of their own accord is not for a table.
    logging.disable(logging.WARNING)
    from bot.check import findings, line
    from bot.drawing.workers import DrawingPool

    async def run() -> None:
        good = True
        with closing(DrawingPool()) as pool:
            async for finding in findings(load_config(context.obj), secret_token(), pool):
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
    from bot.drawing.workers import DrawingPool
    from bot.gallery.build import build

    if url and not url.startswith(("http://", "https://")):
        raise fail(f"--url {url}: must begin with https:// or http://")

    async def run() -> None:
        with closing(DrawingPool()) as pool:
            report = await build(load_config(context.obj), pool, out, url)
        typer.echo(
            f"{out}: {counted(report.bags, 'bag')} and {counted(report.runs, 'run')}; "
            f"{counted(report.written, 'file')} written, {report.removed:,} removed"
        )

    until_stopped(run())


def serve(path: Path, token: str) -> None:
    """The real bot. Exits with code 2 and one line for what only a person can fix."""
    if token.count(".") != 2:
        raise fail(words.WRONG_SHAPE)
    from bot.app import App  # which takes a second: wrong tokens are refused at once

    async def run() -> None:
        config = load_config(path)
        logs.set_up(config.bot.log)
        async with App(config) as running:
            await running.serve(token)

    until_stopped(run())


def until_stopped(work: Coroutine[None, None, None]) -> None:
    """Run until Ctrl-C or SIGTERM, closing in good order; known errors become one line and code 2."""

    async def stoppable() -> None:
        task = asyncio.create_task(work)
        for name in (signal.SIGINT, signal.SIGTERM):
            with suppress(NotImplementedError):  # Windows, where Ctrl-C ends asyncio.run by itself
                asyncio.get_running_loop().add_signal_handler(name, task.cancel)
        with suppress(asyncio.CancelledError):
            await task

    try:
        asyncio.run(stoppable())
    except (SettingsError, StoreError, GalleryError, Refusal) as error:
        raise fail(str(error)) from error
    except discord.LoginFailure as error:
        raise fail(f"Discord refused DISCORD_TOKEN. {words.RESET_IN_PORTAL}.") from error
    except discord.ConnectionClosed as error:
        raise fail(words.connection_closed(error.code)) from error
    except OSError as error:
        raise fail(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}") from error


if __name__ == "__main__":
    sys.exit(app())
