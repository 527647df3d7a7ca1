"""A run is told in one thread: a grid after each epoch, the timelapse at the end."""

from types import SimpleNamespace

import discord
import pytest

from bot import words
from bot.client import retries
from bot.features.training.thread import RunThread
from bot.store.store import Store
from gan import events
from gan.run import Run
from tests.bot.world import begin_run, end_epoch, finish_run, until

pytestmark = pytest.mark.usefixtures("runs_posted")


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
            await world.app.run_thread.step()
        assert not world.channel.history()


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ({"event": "stopped", "epoch": 1}, "stopped after epoch 1"),
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


@pytest.fixture
def by_hand(monkeypatch, runs_posted):
    """Runs are told when the test says so."""
    monkeypatch.setattr("bot.features.training.thread.POLL_SECONDS", 10**6)
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0)


class Crash(BaseException):
    """The machine goes down."""


def run_thread(world):
    """What a bot that has just started knows."""
    return RunThread(world.app.announcer, world.app.store, world.folder / "runs", 0, world.clock)


def texts(place):
    return [message.content for message in place.history()]


class Trap:
    """Goes off before or after the n-th thing that a run_thread does to the world outside."""

    DOES = (
        (Store, "set_run_post"),
        (discord.abc.Messageable, "send"),
        (discord.Message, "create_thread"),
        (discord.PartialMessage, "edit"),
        (discord.Thread, "edit"),
    )

    def __init__(self, patch, number, after, error):
        self.left = number
        for owner, name in self.DOES:
            patch.setattr(owner, name, self.guard(getattr(owner, name), after, error))

    def guard(self, real, after, error):
        async def guarded(*args, **kwargs):
            self.left -= 1
            sprung = self.left == 0
            if sprung and not after:
                raise error
            result = await real(*args, **kwargs)
            if sprung:
                raise error
            return result

        return guarded


SERVER_ERROR = discord.DiscordServerError(SimpleNamespace(status=500, reason="Oops"), "injected")
RATE_LIMIT = discord.HTTPException(SimpleNamespace(status=429, reason="Slow down"), "injected")


@pytest.mark.parametrize("error", [Crash(), SERVER_ERROR, RATE_LIMIT], ids=["crash", "500", "429"])
async def test_whatever_breaks_at_whatever_step_nothing_is_doubled_and_nothing_lost(
    server, monkeypatch, by_hand, error
):
    async with server() as world:
        known, sprung, number = 0, True, 0
        while sprung:
            number += 1
            for after in (False, True):
                run = new_run(world, f"2027-01-01-{number:02}{after:02}")
                telling = run_thread(world)
                with monkeypatch.context() as patch:
                    trap = Trap(patch, number, after, error)
                    for moment in range(4):
                        if moment in (1, 2):
                            end_epoch(run, moment)
                        if moment == 3:
                            finish_run(run, 2)
                        for _ in range(2):
                            try:
                                await telling.step()
                            except Crash:
                                telling = run_thread(world)
                    sprung = trap.left <= 0
                begun = [text for text in texts(world.channel) if text.startswith(words.run_mark(run.name))]
                assert len(begun) == 1, (number, after)
                assert len(world.channel.threads) == known + 1, (number, after)
                known += 1
                thread = next(thread for thread in world.channel.threads if run.name in thread.name)
                told = ["epoch-0001.png", "epoch-0002.png", "timelapse.gif", "losses.png"]
                assert files(thread) == told, (number, after)
        assert number > 12


async def test_after_a_restart_nothing_is_told_again_and_the_run_goes_on(server, by_hand):
    async with server() as world:
        run = new_run(world)
        await world.app.run_thread.step()
        (thread,) = world.channel.threads
        for number in (1, 2, 3):
            end_epoch(run, number)
            await world.restart()
            telling = run_thread(world)
            for _ in range(2):
                await telling.step()
        assert files(thread) == ["epoch-0001.png", "epoch-0002.png", "epoch-0003.png"]


async def test_a_run_that_ended_while_nobody_was_there_is_told_though_another_has_begun(server, by_hand):
    async with server() as world:
        run = new_run(world)
        end_epoch(run, 1)
        await world.app.run_thread.step()
        finish_run(run, 1)
        new_run(world, "2027-01-02-0000")
        await world.restart()
        await run_thread(world).step()
        first, second = world.channel.threads
        assert "timelapse.gif" in files(first)
        assert not files(second)


def archived(world, thread):
    return world.env.backend.channels[thread.id].thread_metadata.archived


async def test_a_thread_is_archived_when_its_run_is_done_and_opened_when_it_goes_on(server, by_hand):
    async with server() as world:
        run = new_run(world)
        end_epoch(run, 1)
        await world.app.run_thread.step()
        (thread,) = world.channel.threads
        assert not archived(world, thread)
        events.append(run.path, events.Stopped(epoch=1))
        await world.app.run_thread.step()
        assert archived(world, thread)
        begin_run(run, epoch=1)
        await world.restart()
        telling = run_thread(world)
        await telling.step()
        end_epoch(run, 2)
        await telling.step()
        assert not archived(world, thread)
        assert files(thread)[-1] == "epoch-0002.png"
        finish_run(run, 2)
        await telling.step()
        assert archived(world, thread)
        assert len(texts(thread)) == 4


async def test_what_went_wrong_on_the_way_is_told_once_with_the_next_grid(server, by_hand):
    async with server() as world:
        run = new_run(world)
        end_epoch(run, 1)
        end_epoch(run, 2)
        await world.app.run_thread.step()
        events.append(run.path, events.Recovered(epoch=1, reason="the losses were not finite", rate=0.5))
        end_epoch(run, 2)
        await world.app.run_thread.step()
        end_epoch(run, 3)
        telling = run_thread(world)
        await telling.step()
        end_epoch(run, 4)
        await telling.step()
        (thread,) = world.channel.threads
        assert files(thread) == ["epoch-0002.png", "epoch-0003.png", "epoch-0004.png"]
        assert ["not finite" in text for text in texts(thread)] == [False, True, False]
        assert "resumed from epoch 1" in texts(thread)[1]


async def test_the_ending_shows_the_curve_of_quality_and_does_without_what_is_missing(server, by_hand):
    async with server() as world:
        for name, made, gone in (
            ("2027-01-01-0000", "quality", "timelapse.gif"),
            ("2027-01-02-0000", "big", "losses.png"),
        ):
            run = new_run(world, name)
            end_epoch(run, 1)
            finish_run(run, 1)
            run.quality.write_bytes(run.losses.read_bytes())
            if made == "big":
                run.timelapse.write_bytes(bytes(8 * 2**20))
            (run.path / gone).unlink()
            await world.app.run_thread.step()
        first, second = world.channel.threads
        assert files(first) == ["epoch-0001.png", "losses.png", "quality.png"]
        assert files(second) == ["epoch-0001.png", "timelapse.gif"]


async def test_a_deleted_thread_sends_the_run_to_the_channel(server, by_hand):
    async with server() as world:
        run = new_run(world)
        await world.app.run_thread.step()
        (thread,) = world.env.bot.get_channel(world.channel.id).threads
        await thread.delete()
        end_epoch(run, 1)
        await world.app.run_thread.step()
        end_epoch(run, 2)
        for _ in range(2):
            await run_thread(world).step()
        assert files(world.channel) == ["epoch-0001.png", "epoch-0002.png"]


async def test_a_deleted_first_message_does_not_matter(server, by_hand):
    async with server() as world:
        run = new_run(world)
        await world.app.run_thread.step()
        (thread,) = world.channel.threads
        await world.env.bot.get_channel(world.channel.id).get_partial_message(thread.id).delete()
        end_epoch(run, 1)
        await world.app.run_thread.step()
        assert files(thread) == ["epoch-0001.png"]


@pytest.mark.parametrize("lost", ["writing in threads", "making threads"])
async def test_lost_permissions_send_the_run_to_the_channel(server, by_hand, lost):
    async with server() as world:
        run = new_run(world)
        if lost == "making threads":
            world.env.inject_error("POST", "/channels/*/messages/*/threads", status=403, times=None)
            await world.app.run_thread.step()
        else:
            await world.app.run_thread.step()
            (thread,) = world.channel.threads
            world.env.inject_error("POST", f"/channels/{thread.id}/messages", status=403, times=None)
        for number in (1, 2):
            end_epoch(run, number)
            await world.app.run_thread.step()
        await run_thread(world).step()
        assert files(world.channel)[-2:] == ["epoch-0001.png", "epoch-0002.png"]
        assert len(files(world.channel)) == 2


async def test_a_server_that_refuses_keeps_no_other_waiting(server, by_hand):
    async with server() as world:
        other = world.env.create_guild("Other", owner=world.ada.user).create_text_channel("bag-dreams")
        await world.env.settle()
        world.env.inject_error("POST", f"/channels/{world.channel.id}/messages", status=500, times=None)
        run = new_run(world)
        end_epoch(run, 1)
        await world.app.run_thread.step()
        assert not world.channel.threads
        assert files(other.threads[0]) == ["epoch-0001.png"]
        world.env.backend.faults.clear()
        await world.app.run_thread.step()
        assert files(world.channel.threads[0]) == ["epoch-0001.png"]


async def test_a_run_that_is_always_refused_is_left_out(server, by_hand, monkeypatch):
    monkeypatch.setattr(retries, "FIRST_SECONDS", 0.0)
    async with server() as world:
        path = f"/channels/{world.channel.id}/messages"
        world.env.inject_error("POST", path, status=400, code=240000, message="no", times=None)
        run = new_run(world)
        end_epoch(run, 1)
        finish_run(run, 1)
        for _ in range(retries.REFUSALS):
            await world.app.run_thread.step()
        world.env.backend.faults.clear()
        await world.app.run_thread.step()
        await run_thread(world).step()  # as after a restart
        assert not files(world.channel)
        assert not world.channel.threads

        new = new_run(world, "2027-01-02-0000")
        end_epoch(new, 1)
        await world.app.run_thread.step()
        assert files(world.channel.threads[0]) == ["epoch-0001.png"]


async def test_progress_shows_the_run(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag progress")
        names = [file.filename for file in world.last.attachments]
        assert names == ["grid.png", "losses.png"]
        assert "Epoch 3" in world.last.embeds[0].description
