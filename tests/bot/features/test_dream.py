"""`!bag`, `!bag grid`, `!bag interpolate`."""

from io import BytesIO

import pytest
from PIL import Image

from gan.run import Run
from tests.bot.features.test_breed import codes_of
from tests.bot.world import begin_run, end_epoch, finish_run, make_generator, until

LIMIT = 8 * 2**20


async def test_a_seed_draws_the_very_same_bag_each_time(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        first, code = await world.last.attachments[0].read(), world.code
        await world.ben.send(world.channel, f"!bag {code}")
        assert await world.last.attachments[0].read() == first
        assert Image.open(BytesIO(first)).size == (128, 128)  # four times the side
        assert code.endswith("-42")


async def test_bags_of_128_pixels_are_shown_and_saved(server):
    async with server() as world:
        run = Run(world.folder / "runs" / "2027-01-01-0000")
        make_generator(run, seed=1, image_size=128)
        begin_run(run)
        finish_run(run, 3)

        await world.ada.send(world.channel, "!bag 42")
        bag, code = world.last, world.code
        assert Image.open(BytesIO(await bag.attachments[0].read())).size == (256, 256)
        await world.ada.click(bag, custom_id=f"bag:save:{code}")
        for end, size in ((".png", (128, 128)), ("-large.png", (256, 256))):
            assert Image.open(world.folder / "favorites" / f"{code}{end}").size == size

        await world.ada.send(world.channel, "!bag grid 16")
        (grid,) = world.last.attachments
        assert Image.open(BytesIO(await grid.read())).size == (4 * 130 + 2, 4 * 130 + 2)
        await world.ada.slash(world.channel, "bag interpolate", a="1", b="2", frames=8)
        morph, strip = world.last.attachments
        assert Image.open(BytesIO(await morph.read())).size == (256, 256)
        assert max(grid.size, morph.size, strip.size) <= LIMIT


async def test_a_bag_carries_alt_text_and_its_code(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag")
        assert world.code in world.last.attachments[0].description
        assert "handbag" in world.last.attachments[0].description


async def test_a_fresh_bag_is_another_one(server):
    async with server() as world:
        codes = set()
        for _ in range(3):
            await world.ada.send(world.channel, "!bag")
            codes.add(world.code)
        assert len(codes) == 3


async def test_the_slash_command_answers_like_the_prefix_one(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 7")
        by_prefix = await world.last.attachments[0].read()
        result = await world.ada.slash(world.channel, "bag dream", code="7")
        assert await result.response.attachments[0].read() == by_prefix


async def test_again_dreams_another(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 1")
        await world.ben.click(world.last, custom_id="bag:again")
        assert not world.code.endswith("-1")


@pytest.mark.parametrize("count", [1, 4, 16])
async def test_a_grid_lists_its_codes_and_each_can_be_picked(server, count):
    async with server() as world:
        await world.ada.send(world.channel, f"!bag grid {count}")
        grid = world.last
        codes = codes_of(grid)
        assert len(set(codes)) == count
        rows = [[item.custom_id for item in row.children] for row in grid.components]
        if count <= 4:
            assert rows == [[f"bag:{what}:{code}" for code in codes] for what in ("pick", "vary")]
        assert all(code in grid.embeds[0].description for code in codes)
        await world.pick(world.ben, grid, codes[-1])
        assert world.code == codes[-1]


async def test_a_bag_has_one_row_of_buttons_and_the_rest_behind_the_last(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        card, code = world.last, world.code
        ((*four, last),) = ([item.custom_id for item in row.children] for row in card.components)
        assert four == [f"bag:up:{code}", f"bag:down:{code}", f"bag:save:{code}", "bag:again"]
        opened = await world.ben.click(card, custom_id=last)
        assert opened.ephemeral
        await world.more(world.ben, card, f"bag:vary:{code}")
        assert world.last.embeds[0].title == f"Variations of {code}"
        await world.ben.click(world.last, custom_id=f"bag:vary:{codes_of(world.last)[2]}")
        assert len(codes_of(world.last)) == 4


async def test_an_interpolation_starts_and_ends_at_its_bags(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag morph 1 2 12")
        morph, strip = world.last.attachments
        animation = Image.open(BytesIO(await morph.read()))
        assert animation.is_animated
        assert animation.n_frames == 22  # there and back
        assert morph.size <= LIMIT
        assert strip.size <= LIMIT
        assert morph.description
        assert strip.description


async def test_interpolate_takes_slash_and_codes(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 3")
        result = await world.ada.slash(world.channel, "bag interpolate", a=world.code, b="9", frames=8)
        assert result.response.attachments[0].filename == "morph.webp"


@pytest.mark.parametrize("form", ["prefix", "slash"])
async def test_eight_bags_are_walked_through_in_a_loop(server, form):
    async with server() as world:
        if form == "prefix":
            await world.ada.send(world.channel, "!bag interpolate 1 2 3 4 5 6 7 8 9")
        else:
            stops = {name: str(seed) for seed, name in enumerate("abcdefgh", 1)}
            await world.ada.slash(world.channel, "bag interpolate", **stops, frames=9)
        answer = world.last
        morph, strip = answer.attachments
        assert max(morph.size, strip.size) <= LIMIT
        animation = Image.open(BytesIO(await morph.read()))
        assert animation.n_frames == 8 * 8  # nine pictures a leg, the last of which begins the next
        codes = [option.value for option in answer.components[0].children[0].options]
        assert len(codes) == 8
        await world.pick(world.ben, answer, codes[3])
        assert world.code == codes[3]


async def test_a_grid_by_slash(server):
    async with server() as world:
        await world.ada.slash(world.channel, "bag grid", count=5)
        assert len(world.last.components[0].children[0].options) == 5


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("!bag banana", "banana"),
        ("!bag " + "1" + "0" * 40, "Seeds go from 0"),
        ("!bag 4294967296", "Seeds go from 0"),
        ("!bag -1", "not a bag"),
        ("!bag zzzz-1", "no longer have the generator"),
        ("!bag grid 17", "between 1 and 16"),
        ("!bag grid many", "!bag grid 9"),
        ("!bag interpolate 1", "!bag interpolate 42 7"),
        ("!bag interpolate 1 1", "two different bags"),
        ("!bag interpolate 1 2 3 4 5 6 7 8 1000", "between 8 and 60"),
        ("!bag interpolate 1 2 3 4 5 6 7 8 9 10", "!bag interpolate 42 7"),
        ("!bag interpolate 1 zzzz-2", "different generators"),
        ("!bag show 99", "Nobody has dreamed"),
        ("!bag help bananas", "Topics"),
        ("!bag vote 1", "2 to 4"),
        ("!bag vote 1 2 3 4 5", "2 to 4"),
        ("!bag top", "Nobody has voted"),
        ("!bag favorites", "no favorites"),
        ("!bag train", "!bag train start"),
    ],
)
async def test_bad_input_gets_one_private_line(server, said, told):
    async with server() as world:
        before = len(world.channel.history())
        await world.ada.send(world.channel, said)
        (whisper,) = world.whispers(world.ada)
        assert told in whisper
        assert "\n" not in whisper
        assert len(world.channel.history()) == before + 1  # only what Ada said


async def test_bad_input_by_slash_is_answered_ephemerally(server):
    async with server() as world:
        result = await world.ada.slash(world.channel, "bag dream", code="banana")
        assert result.ephemeral
        assert "banana" in result.response.content


async def test_an_error_after_thinking_aloud_is_private_too(server, monkeypatch):
    async def broken(*_):
        raise RuntimeError("a bug")

    async with server() as world:
        with monkeypatch.context() as patch:
            patch.setattr(world.app.studio, "picture", broken)
            await world.ada.slash(world.channel, "bag dream", code="1")
        assert not world.channel.history()
        assert any("went wrong on my side" in whisper for whisper in world.whispers(world.ada))
        world.expects = RuntimeError


async def test_before_the_first_training_run_it_says_what_to_do(server):
    async with server(generator=False) as world:
        for said in ("!bag", "!bag grid", "!bag interpolate 1 2", "!bag vote", "!bag progress"):
            await world.ada.send(world.channel, said)
        whispers = world.whispers(world.ada)
        assert len(whispers) == 5
        assert all("!bag train start" in whisper for whisper in whispers)


async def test_a_truncated_generator_is_told_in_words(server, tmp_path):
    async with server() as world:
        (generator,) = (tmp_path / "runs").glob("*/generator.safetensors")
        generator.write_bytes(generator.read_bytes()[:500])
        await world.ada.send(world.channel, "!bag 1")
        assert "can't be read" in world.whispers(world.ada)[0]


async def test_too_fast_is_asked_to_wait(server, monkeypatch):
    monkeypatch.setenv("BOT_COOLDOWN_SECONDS", "2")
    async with server() as world:
        await world.ada.send(world.channel, "!bag 1")
        await world.ada.send(world.channel, "!bag 2")
        assert "One moment" in world.whispers(world.ada)[0]
        await world.ben.send(world.channel, "!bag 3")
        assert world.code.endswith("-3")
        await world.env.advance_time(3)
        await world.ada.send(world.channel, "!bag 4")
        assert world.code.endswith("-4")


async def test_a_drawing_process_that_dies_is_replaced(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 1")
        (worker,) = world.app.pool._pools["quick"]._processes.values()
        worker.kill()
        worker.join()
        await world.ada.send(world.channel, "!bag 2")
        await until(lambda: world.last.embeds)
        assert world.code.endswith("-2")


async def test_a_new_run_takes_over_when_it_has_learnt_something(server):
    async with server() as world:  # its run saw 1,800 pictures
        await world.ada.send(world.channel, "!bag 1")
        before = world.code
        run = Run(world.folder / "runs" / "2027-01-01-0000")
        make_generator(run, seed=1)
        begin_run(run)
        end_epoch(run, 1)
        await world.ada.send(world.channel, "!bag 1")
        assert world.code == before
        end_epoch(run, 2)
        await world.ada.send(world.channel, "!bag 1")
        assert world.code != before
