"""A run folder from somebody else: no file outside of it gets out or is written, and the bot goes on."""

import json

import pytest
from safetensors.torch import load_file, save_file

from bot.errors import Refusal
from gan import events
from gan.header import ARCHITECTURE
from gan.run import Run
from tests.bot.world import begin_run, end_epoch, finish_run, make_generator, until

SECRET = b"\x89PNG DISCORD_TOKEN=sesame"


def append(run, **event):
    """A line that our own trainer would not write."""
    with run.events.open("a") as file:
        file.write(json.dumps({"time": "2027-01-01T00:00:00Z"} | event) + "\n")


async def contents(messages):
    return [await file.read() for message in messages for file in message.attachments]


async def test_no_file_outside_of_the_run_is_posted_and_the_run_goes_on(server, runs_posted, tmp_path):
    (tmp_path / ".env").write_bytes(SECRET)
    (tmp_path / "grids").mkdir()
    (tmp_path / "grids" / "epoch-0004.png").write_bytes(SECRET)
    async with server() as world:
        run = Run(world.folder / "runs" / "2027-01-01-0000")
        begin_run(run)
        await until(lambda: world.channel.threads)
        (thread,) = world.channel.threads
        append(run, event="party")
        end_epoch(run, 1)
        epoch = json.loads(run.events.read_text().splitlines()[-1])
        for path in (str(tmp_path / ".env"), "../../.env", f"grids/../../../{'.env'}"):
            append(run, **epoch | {"epoch": 2, "grid": path})
        run.grid(3).symlink_to(tmp_path / ".env")
        append(run, **epoch | {"epoch": 3, "grid": "grids/epoch-0003.png"})
        append(run, **epoch | {"epoch": 4, "mood": "great"})
        await until(lambda: any("Epoch 4" in message.content for message in thread.history()))
        append(run, event="finished", epoch=4, timelapse="/etc/passwd", losses="../../.env")
        finish_run(run, 4)
        run.losses.unlink()
        run.losses.symlink_to(tmp_path / ".env")
        await until(lambda: any("The run is done" in message.content for message in thread.history()))
        # In `!bag progress`, where the grid's name follows from the epoch's number, and in the timelapse.
        run.grid(4).symlink_to(tmp_path / ".env")
        await world.ada.send(world.channel, "!bag progress")
        shown_run = next(message for message in world.channel.history() if message.components)
        await world.ada.click(shown_run, custom_id=f"bag:timelapse:{run.name}")
        messages = [*thread.history(), *world.channel.history()]
        names = [file.filename for message in messages for file in message.attachments]
        assert names.count("timelapse.gif") == 2  # at the end, and when asked for
        shown = await contents(messages)
        assert len(shown) >= 5
        assert SECRET not in shown


@pytest.mark.parametrize(
    "version", ["../../escaped", "/tmp/bag-dreams-escaped", "k5qn30/../x", 7, None, "a" * 300]
)
async def test_the_version_of_a_generator_is_no_path(server, version):
    async with server() as world:
        run = Run(world.folder / "runs" / "2027-01-01-0000")
        make_generator(run, seed=1)
        begin_run(run)
        events.append(run.path, events.Finished(epoch=3, timelapse="a.gif", losses="b.png"))
        about = {"architecture": ARCHITECTURE, "shape": {}, "epoch": 3, "version": version}
        save_file(load_file(run.generator), run.generator, {"bag-dreams": json.dumps(about)})
        before = sorted(world.folder.rglob("*"))
        with pytest.raises(Refusal, match="can't be read"):
            await world.app.studio.current()
        assert sorted(world.folder.rglob("*")) == before
