"""`python -m bot`: the real bot with a DISCORD_TOKEN, the demo without."""

from __future__ import annotations

import asyncio
import logging
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
from bot.errors import Refusal
from bot.gallery.folder import GalleryError
from bot.settings import SettingsError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Secrets(BaseSettings):
    """What must never stand in config.toml or in a log; from the environment or from .env."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore")

    discord_token: SecretStr | None = None


def secret_token() -> str | None:
    """The token, if there is one."""
    token = Secrets().discord_token
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
    from bot.demo.run import Demo

    async def run() -> None:
        async with Demo(folder, port) as running:
            typer.echo(f"\n  Bag Dreams is dreaming at {running.address}   (Ctrl-C ends it)\n")
            await asyncio.Event().wait()

    until_stopped(run())


@app.command()
def check(context: typer.Context) -> None:
    """What works and what does not: token, intents, servers, store, generator, dataset, schedule, disk.

    Ends with code 2 if something needs mending.
    """
    # What the libraries say of their own accord is not for a table.
    logging.disable(logging.WARNING)
    from bot.app import load_house
    from bot.check import findings, line
    from bot.drawing.workers import Easel

    async def run() -> None:
        good = True
        with closing(Easel()) as easel:
            async for finding in findings(load_house(context.obj), secret_token(), easel):
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
    from bot.app import load_house
    from bot.drawing.workers import Easel
    from bot.gallery.build import build

    if url and not url.startswith(("http://", "https://")):
        raise fail(f"--url {url}: must begin with https:// or http://")

    async def run() -> None:
        with closing(Easel()) as easel:
            report = await build(load_house(context.obj), easel, out, url)
        typer.echo(
            f"{out}: {counted(report.bags, 'bag')} and {counted(report.runs, 'run')}; "
            f"{counted(report.written, 'file')} written, {report.removed:,} removed"
        )

    until_stopped(run())


def counted(number: int, what: str) -> str:
    """`1 bag`, `2,000 bags`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def serve(config: Path, token: str) -> None:
    """The real bot. Exits with code 2 and one line for what only a person can mend."""
    from bot.app import App, load_house

    if token.count(".") != 2:
        raise fail(words.CHECK_NO_SHAPE)

    async def run() -> None:
        house = load_house(config)
        logs.set_up(house.bot.log)
        async with App(house) as running:
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
    except (SettingsError, GalleryError, Refusal) as error:
        raise fail(str(error)) from error
    except discord.LoginFailure as error:
        raise fail(
            "Discord refused DISCORD_TOKEN. Make a new one in the developer portal: "
            "your application, Bot, Reset Token."
        ) from error
    except discord.PrivilegedIntentsRequired as error:
        raise fail(
            "the message-content intent is off, so I could not read `!bag`. "
            "Switch it on in the developer portal: "
            "your application, Bot, Message Content Intent."
        ) from error
    except OSError as error:
        raise fail(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}") from error


if __name__ == "__main__":
    sys.exit(app())
