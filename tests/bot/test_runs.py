"""A run is told in one thread: a grid after each epoch, the timelapse at the end."""

import pytest

from gan import events
from gan.run import Run
from tests.bot.world import begin_run, end_epoch, finish_run, until


def files(thread):
    return [file.filename for message in thread.history() for file in message.attachments]


def new_run(world, name="2027-01-01-0000"):
    run = Run(world.folder / "runs" / name)
    begin_run(run)
    return run


async def thread_of(world):
    await until(lambda: world.channel.threads)
    (thread,) = world.channel.threads
    return thread


async def test_each_epoch_is_posted_once_in_one_thread_and_the_timelapse_at_the_end(server):
    async with server() as world:
        run = new_run(world)
        thread = await thread_of(world)
        for number in (1, 2):
            end_epoch(run, number)
            await until(lambda number=number: f"epoch-000{number}.png" in files(thread))
        finish_run(run, 2)
        await until(lambda: "timelapse.gif" in files(thread))
        assert files(thread) == ["epoch-0001.png", "epoch-0002.png", "timelapse.gif", "losses.png"]
        assert all(file.description for message in thread.history() for file in message.attachments)
        assert run.name in thread.name


async def test_the_message_in_the_channel_shows_the_newest_grid(server):
    async with server() as world:
        run = new_run(world)
        thread = await thread_of(world)
        for number in (1, 2):
            end_epoch(run, number)
            await until(lambda number=number: files(world.channel) == [f"epoch-000{number}.png"])
        assert sum("training run begins" in message.content for message in world.channel.history()) == 1
        with_fault = len(files(thread))
        world.env.inject_error("PATCH", "/channels/*/messages/*", status=400, code=30046, message="too old")
        end_epoch(run, 3)
        await until(lambda: len(files(thread)) == with_fault + 1)


async def test_a_restart_in_mid_run_doubles_nothing(server):
    async with server() as world:
        run = new_run(world)
        thread = await thread_of(world)
        end_epoch(run, 1)
        await until(lambda: files(thread))
        world.app.teller._progress = None  # as after a restart: all of the run is read anew
        world.app.teller._offset = 0
        await world.restart()
        end_epoch(run, 2)
        await until(lambda: len(files(thread)) == 2)
        assert files(thread) == ["epoch-0001.png", "epoch-0002.png"]
        assert len(world.channel.threads) == 1


async def test_between_grids_there_is_the_configured_time_and_the_last_one_always_gets_out(
    server, monkeypatch
):
    monkeypatch.setenv("BOT_GRID_SECONDS", "3600")
    async with server() as world:
        run = new_run(world)
        thread = await thread_of(world)
        for number in (1, 2, 3):
            end_epoch(run, number)
            await until(lambda: files(thread))
        finish_run(run, 3)
        await until(lambda: "timelapse.gif" in files(thread))
        assert files(thread) == ["epoch-0001.png", "epoch-0003.png", "timelapse.gif", "losses.png"]


async def test_a_run_that_was_over_before_is_not_told_again(server):
    async with server() as world:
        for _ in range(3):
            await world.app.teller.step()
        assert not world.channel.history()


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ({"event": "stopped", "epoch": 1}, "rests after epoch 1"),
        ({"event": "failed", "reason": "no space left on the disk"}, "no space left on the disk"),
    ],
)
async def test_how_a_run_broke_off_is_told_in_words(server, ending, told):
    async with server() as world:
        run = new_run(world)
        thread = await thread_of(world)
        end_epoch(run, 1)
        kind = {"stopped": events.Stopped, "failed": events.Failed}[ending["event"]]
        events.append(run.path, kind(**ending))
        await until(lambda: any(told in message.content for message in thread.history()))
        begin_run(run, epoch=1)  # resumed
        end_epoch(run, 2)
        await until(lambda: "epoch-0002.png" in files(thread))


async def test_a_deleted_thread_sends_the_run_to_the_channel(server):
    async with server() as world:
        run = new_run(world)
        await thread_of(world)
        (thread,) = world.env.bot.get_channel(world.channel.id).threads
        await thread.delete()
        end_epoch(run, 1)
        await until(lambda: "epoch-0001.png" in files(world.channel))


async def test_progress_shows_the_run(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag progress")
        names = [file.filename for file in world.last.attachments]
        assert names == ["grid.png", "losses.png"]
        assert "Epoch 3" in world.last.embeds[0].description
