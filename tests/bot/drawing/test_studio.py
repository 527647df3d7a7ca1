"""The line before the pool: drawn together, told one's place, limited, whole whatever happens meanwhile."""

import asyncio
import os
import signal
import time
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from bot import words
from bot.client.announcer import Announcer
from bot.client.metrics import Metrics
from bot.codes import Code
from bot.drawing import queue, workers
from bot.drawing.studio import Studio
from bot.drawing.workers import DrawingPool
from bot.errors import Refusal
from bot.health import NOT_CONNECTED, Health
from gan.run import Run
from tests.bot.features.test_breed import codes_of
from tests.bot.world import VOCABULARY, begin_run, finish_run, make_generator, until


class Counting(DrawingPool):
    """An pool that counts how often it is called."""

    def __init__(self, pool):
        self._pool, self.calls = pool, 0

    async def draw(self, *args, **kwargs):
        self.calls += 1
        return await self._pool.draw(*args, **kwargs)


class Silent:
    """Somebody who waits and hears nothing."""

    def __init__(self, person):
        self.id = person

    async def tell(self, place):
        pass

    async def hush(self):
        pass


@asynccontextmanager
async def busy(world, lane="quick"):
    """The drawing process reads a pipe that nobody writes into, until it is told to go on."""
    pipe = world.folder / f"pipe-{time.monotonic_ns()}"
    os.mkfifo(pipe)
    held = asyncio.create_task(world.app.pool.draw(pipe.read_bytes, lane=lane))
    await asyncio.sleep(0)

    async def go_on():
        await asyncio.gather(asyncio.to_thread(pipe.write_bytes, b""), held)

    try:
        yield go_on
    finally:
        if not held.done():
            await go_on()


def asks(studio, person, code):
    """A request of somebody who says nothing and hears nothing."""

    async def ask():
        queue.asking.set(Silent(person))
        return await studio.picture(code)

    return asyncio.create_task(ask())


async def crowd(world, people):
    """The requests of some people, of which the first is being drawn."""
    studio, version = world.app.studio, await current(world)
    first, *rest = [(person, Code.seeded(version, seed)) for seed, person in enumerate(people)]
    asked = [asks(studio, *first)]
    await until(lambda: studio._quick._drawing)
    asked += [asks(studio, *one) for one in rest]
    await until(lambda: len(studio._quick._waiting) == len(rest))
    return asked


async def current(world):
    return (await world.app.studio.current()).version


@pytest.mark.parametrize("vocabulary", [None, VOCABULARY])
async def test_who_waits_together_is_drawn_together_and_gets_the_very_same_bytes(server, vocabulary):
    async with server(vocabulary=vocabulary) as world:
        studio, version = world.app.studio, await current(world)
        codes = [Code.seeded(version, seed) for seed in range(20)]
        if vocabulary is not None:
            codes[:8] = [Code.seeded(version, 3, f"{word}-tote") for word in vocabulary.facets[0].words[:8]]
        (child, *_) = await studio.breed(codes[:2], 4)
        await world.app.store.add_bred([child], 3, 0, None)
        codes.append(child.code)
        alone = [await studio.picture(code) for code in codes]
        studio._pictures.clear()
        counting = studio._quick._pool = Counting(world.app.pool)
        together = await asyncio.gather(*(asks(studio, n, code) for n, code in enumerate(codes)))
        assert list(together) == alone
        assert counting.calls < len(codes) / 2


async def test_a_grid_shows_the_same_with_others_waiting(server):
    async with server() as world:
        studio, version = world.app.studio, await current(world)
        codes = [Code.seeded(version, seed) for seed in range(6)]
        alone = await studio.grid(codes, 3)
        together = await asyncio.gather(*(studio.grid(codes, 3) for _ in range(3)), studio.picture(codes[0]))
        assert list(together[:3]) == [alone] * 3


async def test_a_broken_generator_spoils_no_other_dream(server):
    async with server() as world:
        studio, version = world.app.studio, await current(world)
        broken = Run(world.folder / "runs" / "broken")
        other = make_generator(broken, seed=5)
        kept = world.folder / "generators" / f"{other}.safetensors"
        kept.write_bytes(broken.generator.read_bytes()[:-1000])
        # Its header is whole, so it is found out only when it draws.
        studio_model = studio.model

        async def model(name):
            if name == other:
                return SimpleNamespace(path=kept)
            return await studio_model(name)

        studio.model = model
        good, bad = await asyncio.gather(
            studio.picture(Code.seeded(version, 1)),
            studio.picture(Code.seeded(other, 1)),
            return_exceptions=True,
        )
        assert good.large
        assert isinstance(bad, Refusal)


@pytest.mark.parametrize("form", ["prefix", "slash", "button"])
async def test_who_waits_long_is_told_their_place_once_and_then_gets_the_bag(server, monkeypatch, form):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 999")
        before, studio, version = world.last, world.app.studio, await current(world)
        monkeypatch.setattr(queue, "NOTICE_SECONDS", 0.05)
        monkeypatch.setattr(queue, "SOON_SECONDS", 0)

        def notices():
            return [message for message in world.channel.history() if "in line" in message.content]

        async with busy(world) as begin:
            grids = [
                asyncio.create_task(studio.grid([Code.seeded(version, seed) for seed in range(16)], 4))
                for _ in range(4)  # each large enough to be drawn by itself
            ]
            await until(lambda: studio._quick._drawing and len(studio._quick._waiting) == 3)
            async with busy(world) as go_on:
                match form:
                    case "prefix":
                        asked = world.ada.send(world.channel, "!bag 42")
                    case "slash":
                        asked = world.ada.slash(world.channel, "bag dream", code="42")
                    case "button":
                        asked = world.ada.click(before, custom_id="bag:again")
                task = asyncio.create_task(asked)
                await until(lambda: [notice.content for notice in notices()] == [words.in_line(5)])
                await begin()
                await until(lambda: len(studio._quick._waiting) == 3)
                assert [notice.content for notice in notices()] == [words.in_line(5)]
                await go_on()
                await task
        await until(lambda: not notices())
        assert world.last.attachments
        assert world.last.id > before.id
        assert all(await asyncio.gather(*grids))


class Slow:
    """Somebody whose notice never gets through."""

    def __init__(self, person):
        self.id, self.told = person, []

    async def tell(self, place):
        self.told.append(place)
        await asyncio.Event().wait()

    async def hush(self):
        pass


async def test_a_picture_waits_for_no_notice_and_one_person_gets_one_notice(server, monkeypatch):
    monkeypatch.setattr(queue, "NOTICE_SECONDS", 0.01)
    monkeypatch.setattr(queue, "SOON_SECONDS", 0)
    async with server() as world, busy(world) as free:
        studio, version, ada = world.app.studio, await current(world), Slow(7)
        queue.asking.set(ada)
        asked = [asyncio.create_task(studio.picture(Code.seeded(version, seed))) for seed in range(2)]
        await until(lambda: ada.told)
        looks = []
        monkeypatch.setattr(studio._quick, "_tell", lambda tell=studio._quick._tell: looks.append(tell()))
        await until(lambda: len(looks) > 5)
        assert len(ada.told) == 1
        await free()
        assert all(await asyncio.gather(*asked))


async def test_who_will_have_it_soon_is_told_nothing(server, monkeypatch):
    monkeypatch.setattr(queue, "NOTICE_SECONDS", 0.01)
    async with server() as world, busy(world) as free:
        studio, version, ada = world.app.studio, await current(world), Slow(7)
        queue.asking.set(ada)
        looks = []
        monkeypatch.setattr(studio._quick, "_tell", lambda tell=studio._quick._tell: looks.append(tell()))
        asked = asyncio.create_task(studio.picture(Code.seeded(version, 1)))
        await until(lambda: len(looks) > 5)
        await free()
        assert await asked
        assert not ada.told


async def test_a_drawing_process_that_hangs_is_replaced(monkeypatch):
    pool = DrawingPool()
    stopped = await pool.draw(os.getpid)
    monkeypatch.setitem(workers.DEADLINES, "quick", 0.5)
    os.kill(stopped, signal.SIGSTOP)
    with pytest.raises(Refusal, match=words.STUDIO_DOWN):
        await pool.draw(os.getpid)
    studio = Studio(pool, None, None)
    store = SimpleNamespace(engine=create_async_engine("sqlite+aiosqlite://"))
    health = Health(Announcer(), store, studio, Metrics(), [], [])
    assert await health.problems() == [NOT_CONNECTED, "My quick drawing process hung and was replaced."]
    monkeypatch.setitem(workers.DEADLINES, "quick", 60)
    assert await pool.draw(os.getpid) != stopped
    assert await health.problems() == [NOT_CONNECTED]
    pool.close()


async def test_one_person_waits_for_three_dreams_at_most(server):
    async with server() as world:
        async with busy(world) as free:
            others = await crowd(world, [world.ada.id] * queue.EACH)
            await world.ada.send(world.channel, "!bag 42")
            await world.ada.slash(world.channel, "bag dream", code="43")
            assert world.whispers(world.ada) == [words.ONE_AT_A_TIME] * 2
            await free()
            await asyncio.gather(*others)
        await world.ada.send(world.channel, "!bag 42")
        assert world.code.endswith("-42")


async def test_a_line_that_is_too_long_takes_nobody_more(server, monkeypatch):
    monkeypatch.setitem(queue.ALL, "quick", 2)
    async with server() as world, busy(world) as free:
        others = await crowd(world, [1, 2])
        await world.ada.send(world.channel, "!bag 42")
        assert world.whispers(world.ada) == [words.LONG_LINE]
        await free()
        await asyncio.gather(*others)


async def test_a_generator_replaced_under_a_running_request_does_not_change_the_bag(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 41")
        version = world.code.partition("-")[0]
        (run,) = [Run(path) for path in (world.folder / "runs").iterdir() if path.is_dir()]
        async with busy(world) as free:
            task = asyncio.create_task(world.ada.send(world.channel, "!bag 42"))
            await until(lambda: world.app.studio._quick._drawing)
            make_generator(run, seed=1)  # the trainer's next checkpoint
            await free()
            await task
        assert world.code == f"{version}-42"
        drawn = await world.last.attachments[0].read()
        await world.ben.send(world.channel, "!bag 42")
        assert world.code != f"{version}-42"
        assert await world.last.attachments[0].read() != drawn
        world.app.studio._pictures.clear()
        await world.ben.send(world.channel, f"!bag {version}-42")
        assert await world.last.attachments[0].read() == drawn


async def test_a_drawing_process_killed_in_the_middle_of_a_request_is_replaced(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        drawn, code = await world.last.attachments[0].read(), world.code
        world.app.studio._pictures.clear()
        async with busy(world) as free:
            task = asyncio.create_task(world.ben.send(world.channel, f"!bag {code}"))
            await until(lambda: world.app.studio._quick._drawing)
            (worker,) = world.app.pool._pools["quick"]._processes.values()
            worker.kill()
            await asyncio.to_thread(worker.join)
            await free()  # of the process that takes its place
            await task
        assert world.code == code
        assert await world.last.attachments[0].read() == drawn


async def test_a_bag_does_not_wait_for_an_animation(server):
    async with server() as world, busy(world, lane="slow"):
        await world.ada.send(world.channel, "!bag 42")
        assert world.code.endswith("-42")


async def test_a_bag_of_a_generator_that_is_gone_is_refused_in_words(server):
    async with server("generators_kept = 1") as world:
        await world.ada.send(world.channel, "!bag 42")
        code = world.code
        newer = Run(world.folder / "runs" / "2027-01-01-0000")
        make_generator(newer, seed=1)
        begin_run(newer)
        finish_run(newer, 1)
        await world.ada.send(world.channel, "!bag 42")
        await world.app.studio.generators.prune(await world.app.store.versions_in_use())
        await world.restart()
        await world.ben.send(world.channel, f"!bag {code}")
        assert "no longer have the generator" in world.whispers(world.ben)[0]


async def test_a_bred_favorites_generator_is_kept(server):
    async with server("generators_kept = 1") as world:
        await world.ada.send(world.channel, "!bag breed 1 2")
        child = codes_of(world.last)[0]
        await world.ada.send(world.channel, f"!bag {child}")
        await world.ben.click(world.last, custom_id=f"bag:up:{child}")
        newer = Run(world.folder / "runs" / "2027-01-01-0000")
        make_generator(newer, seed=1)
        begin_run(newer)
        finish_run(newer, 1)
        await world.ada.send(world.channel, "!bag 42")
        await world.app.studio.generators.prune(await world.app.store.versions_in_use())
        version = child.partition("-")[0]
        for code in (child, f"{version}-1", f"{version}-2"):
            await world.ben.send(world.channel, f"!bag {code}")
            assert world.code == code
