"""💾, `!bag favorites` and `!bag show`."""

import errno
import json

from bot import favorites


async def test_a_saved_bag_is_kept_and_found_again(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        bag, code = world.last, world.code
        result = await world.ben.click(bag, custom_id=f"bag:save:{code}")
        assert result.ephemeral
        assert code in result.response.content
        again = await world.ben.click(bag, custom_id=f"bag:save:{code}")
        assert "already" in again.response.content
        about = json.loads((world.folder / "favorites" / f"{code}.json").read_text())
        assert about["code"] == code

        await world.ada.send(world.channel, "!bag favorites")
        assert code in world.last.embeds[0].description
        await world.ada.send(world.channel, f"!bag favorites {world.ben.mention}")
        assert code in world.last.embeds[0].description
        await world.ada.send(world.channel, f"!bag favorites {world.ada.mention}")
        assert "no favorites" in world.whispers(world.ada)[0]


async def test_favorites_come_in_pages(server):
    async with server() as world:
        saved = []
        for seed in range(11):
            await world.ada.send(world.channel, f"!bag {seed}")
            saved.append(world.code)
            await world.ada.click(world.last, custom_id=f"bag:save:{world.code}")
        await world.ada.send(world.channel, "!bag favorites")
        page = world.last
        assert "1 of 2" in page.embeds[0].title
        await world.ben.click(page, custom_id="bag:favorites:0:1")
        turned = world.now(page)
        assert "2 of 2" in turned.embeds[0].title
        shown = page.embeds[0].description + turned.embeds[0].description
        assert all(code in shown for code in saved)
        assert len(turned.attachments) == 1


async def test_a_favorite_draws_again_byte_for_byte_after_other_runs(server):
    from gan.run import Run
    from tests.bot.world import begin_run, finish_run, make_generator

    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        code = world.code
        await world.ada.click(world.last, custom_id=f"bag:save:{code}")
        kept = (world.folder / "favorites" / f"{code}.png").read_bytes()
        large = await world.last.attachments[0].read()
        newer = Run(world.folder / "runs" / "2027-01-01-0000")
        make_generator(newer, seed=1)
        begin_run(newer)
        finish_run(newer, 1)
        await world.ada.send(world.channel, "!bag 42")
        assert world.code != code
        await world.ada.send(world.channel, f"!bag {code}")
        assert await world.last.attachments[0].read() == large
        (world.folder / "favorites" / f"{code}.png").unlink()
        await world.ben.click(world.last, custom_id=f"bag:save:{code}")
        assert (world.folder / "favorites" / f"{code}.png").read_bytes() == kept


async def test_generators_that_nobody_needs_are_dropped_and_the_loved_ones_stay(server):
    from gan.run import Run
    from tests.bot.world import begin_run, finish_run, make_generator

    async with server("generators_kept = 1") as world:
        codes = []
        for number in range(3):
            run = Run(world.folder / "runs" / f"2027-01-0{number + 1}-0000")
            make_generator(run, seed=number + 1)
            begin_run(run)
            finish_run(run, 1)
            await world.ada.send(world.channel, "!bag 42")
            codes.append(world.code)
            if number == 0:
                await world.ada.click(world.last, custom_id=f"bag:save:{world.code}")
        await world.app.studio.prune(await world.app.store.versions_in_use())
        for code in codes:
            await world.ben.send(world.channel, f"!bag {code}")
        (whisper,) = world.whispers(world.ben)
        assert codes[1].split("-")[0] in whisper


async def test_show_tells_all_about_a_bag(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        code = world.code
        await world.ben.click(world.last, custom_id=f"bag:up:{code}")
        await world.ben.click(world.last, custom_id=f"bag:save:{code}")
        await world.ada.send(world.channel, f"!bag show {code}")
        fields = {field.name: field.value for field in world.last.embeds[0].fields}
        assert fields["Votes"] == "👍 1  👎 0"
        assert fields["Saved by"] == f"<@{world.ben.id}>"
        assert fields["Seed"] == "42"
        assert world.ada.mention in fields["Dreamt"]


async def test_on_a_full_disk_saving_says_so_and_can_be_tried_again(server, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        bag, code = world.last, world.code
        with monkeypatch.context() as patch:
            patch.setattr(favorites, "write", full)
            result = await world.ada.click(bag, custom_id=f"bag:save:{code}")
        assert "disk is full" in result.response.content
        result = await world.ada.click(bag, custom_id=f"bag:save:{code}")
        assert "among your favorites now" in result.response.content
