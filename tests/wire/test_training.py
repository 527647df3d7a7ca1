"""A training run goes on whatever ends the bot, and stays stopped once somebody stopped it."""

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.bot.world import until
from tests.wire.conftest import BotWire, report
from tests.wire.models import Channel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed"),
]

GAN = """
[gan.recipe]
channels = 8
batch = 16
"""
OFTEN = {"BOT_GRID_SECONDS": "1"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a dataset of colored squares, made by the real scraper."""
    folder = tmp_path_factory.mktemp("collected")
    make_dataset(folder)
    return folder / "dataset"


def make_dataset(folder: Path, count: int = 64) -> None:
    """Write a dataset of colored squares into a folder."""
    config, pictures = folder / "scraper.toml", folder / "pictures"
    config.write_text(f'[scraper]\nfolder = "{folder}/shop"\ndataset = "{folder}/dataset"\n')
    pictures.mkdir()
    for number in range(count):
        red, green, blue = map(int, np.random.default_rng(number).integers(0, 255, 3))
        Image.new("RGB", (64, 64), (red, green, blue)).save(pictures / f"{number}.png")
    for arguments in (["import", str(pictures)], ["build"]):
        command = [sys.executable, "-m", "scraper", "--config", str(config), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def grids(place: Channel) -> list[str]:
    """The files that show an epoch."""
    files = [file["filename"] for one in place.messages.values() for file in one.files]
    return [name for name in files if name.startswith("epoch-")]


def last_event(run: Path) -> dict[str, Any]:
    """What the trainer reported last."""
    event: dict[str, Any] = json.loads((run / "events.jsonl").read_text().splitlines()[-1])
    return event


async def grows(thread: Channel) -> None:
    """Wait for another grid."""
    before = len(grids(thread))
    await until(lambda: len(grids(thread)) > before)


async def test_a_run_outlasts_every_end_of_the_bot_but_a_stop(wire: BotWire, dataset: Path) -> None:
    (wire.folder / "dataset").symlink_to(dataset)
    async with wire.bot(GAN, **OFTEN) as bot:
        await wire.ada.send(wire.channel, "!bag train start").answer()
        await until(lambda: wire.channel.threads)
        (thread,) = wire.channel.threads
        await grows(thread)
        assert any(b"train" in (child / "cmdline").read_bytes() for child in bot.children)
        assert not [child for child in bot.children if wire.token in (child / "environ").read_text()]
        await bot.stop(signal.SIGKILL)
    async with wire.bot(GAN, **OFTEN) as bot:  # and this one ends before its trainer has begun
        await bot.stop(signal.SIGKILL)
    async with wire.bot(GAN, **OFTEN) as bot:
        await grows(thread)
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log
    (run,) = (
        path.parent for path in wire.folder.glob("runs/*/events.jsonl") if "2026-01-01" not in str(path)
    )
    report(f"ended in {bot.stop_seconds:.1f} s while training")
    assert last_event(run)["event"] == "stopped"
    async with wire.bot(GAN, **OFTEN) as bot:
        await grows(thread)
        await wire.ada.send(wire.channel, "!bag train stop").answer()
        await until(lambda: last_event(run)["event"] == "stopped")
        await until(lambda: "stopped after" in thread.last.content)
        assert await bot.stop() == 0
    shown = len(grids(thread))
    async with wire.bot(GAN, **OFTEN) as bot:
        wire.ada.send(wire.channel, "!bag train stop")
        await until(lambda: any("No training run" in text for text in wire.ada.told))
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log
    assert len(grids(thread)) == shown
    assert max(Counter(grids(thread)).values()) == 1
    assert wire.channel.threads == [thread]
    assert len(list(wire.folder.glob("runs/*/events.jsonl"))) == 2
    assert not [one for one in wire.channel.messages.values() if "My trainer" in one.content]
