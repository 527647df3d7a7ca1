"""💾 and `!bag favorites`."""

import errno
import json
from datetime import UTC, datetime

import numpy as np
import pytest

from bot.features.daily.post import Choice
from bot.features.favorites import files
from bot.store.models import Base
from bot.store.votes import Tally, week
from tests.bot.features.test_breed import codes_of
from tests.bot.world import until

FORMS = pytest.mark.parametrize("form", ["prefix", "slash"])


async def test_a_saved_bag_is_kept_and_found_again(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        bag, code = world.last, world.code
        result = await world.ben.click(bag, custom_id=f"bag:save:{code}")
        assert result.ephemeral
        assert code in result.response.content
        about = json.loads((world.folder / "favorites" / f"{code}.json").read_text())
        assert about["code"] == code

        await world.ada.send(world.channel, "!bag favorites")
        assert code in world.last.embeds[0].description
        await world.ada.send(world.channel, f"!bag favorites {world.ben.mention}")
        assert code in world.last.embeds[0].description
        await world.ada.send(world.channel, f"!bag favorites {world.ada.mention}")
        assert "no favorites" in world.whispers(world.ada)[0]


async def test_pressed_again_it_is_taken_back(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        bag, code = world.last, world.code
        for expected in ("now one of your favorites", "no longer", "now one of your favorites"):
            result = await world.ben.click(bag, custom_id=f"bag:save:{code}")
            assert result.ephemeral
            assert expected in result.response.content
        await world.ben.click(bag, custom_id=f"bag:save:{code}")
        await world.ada.send(world.channel, "!bag favorites")
        assert "no favorites" in world.whispers(world.ada)[0]


async def test_one_persons_favorite_stays_when_another_takes_theirs_back(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        bag, code = world.last, world.code
        for person in (world.ada, world.ben, world.ada):
            await person.click(bag, custom_id=f"bag:save:{code}")
        await world.restart()
        await world.ada.send(world.channel, "!bag favorites")
        assert code in world.last.embeds[0].description


@FORMS
async def test_favorites_of_everybody_and_of_somebody_in_pages(server, form):
    async with server() as world:
        saved = []
        for seed in range(11):
            await world.ada.send(world.channel, f"!bag {seed}")
            saved.append(world.code)
            await world.ada.click(world.last, custom_id=f"bag:save:{world.code}")
        for who in (None, world.ada):
            await world.say(world.ben, form, "favorites", **({"who": who} if who else {}))
            page = world.last
            assert "1 of 2" in page.embeds[0].title
            await world.restart()
            await world.ben.click(page, custom_id=f"bag:favorites:{who.id if who else 0}:1")
            turned = world.now(page)
            assert "2 of 2" in turned.embeds[0].title
            assert ("ada" in turned.embeds[0].title) is (who is not None)
            shown = page.embeds[0].description + turned.embeds[0].description
            assert all(code in shown for code in saved)
            assert len(turned.attachments) == 1


async def test_a_page_that_is_no_longer_there_shows_the_last_one(server):
    async with server() as world:
        bags = []
        for seed in range(11):
            await world.ada.send(world.channel, f"!bag {seed}")
            bags.append((world.last, world.code))
            await world.ada.click(world.last, custom_id=f"bag:save:{world.code}")
        await world.ada.send(world.channel, "!bag favorites")
        page = world.last
        for bag, code in bags[:3]:
            await world.ada.click(bag, custom_id=f"bag:save:{code}")
        await world.ben.click(page, custom_id="bag:favorites:0:1")
        turned = world.now(page)
        assert turned.embeds[0].title == "Favorites"
        assert bags[3][1] in turned.embeds[0].description


async def test_favorites_of_a_member_who_left_are_still_there(server):
    async with server() as world:
        for seed in range(10):
            await world.ada.send(world.channel, f"!bag {seed}")
            await world.ben.click(world.last, custom_id=f"bag:save:{world.code}")
        world.env.backend.remove_member(world.guild.id, world.ben.id)
        await world.restart()  # and nobody remembers Ben
        await world.ada.send(world.channel, f"!bag favorites <@{world.ben.id}>")
        await world.ada.click(world.last, custom_id=f"bag:favorites:{world.ben.id}:1")
        assert "2 of 2" in world.last.embeds[0].title


async def test_the_sidecar_tells_all_and_names_nobody(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        mother = world.code
        await world.ada.click(world.last, custom_id=f"bag:up:{mother}")
        await world.ada.send(world.channel, f"!bag variations {mother}")
        child = codes_of(world.last)[0]
        await world.pick(world.ada, world.last, child)
        await world.ada.click(world.last, custom_id=f"bag:save:{child}")
        await world.keep(mother, world.guild.id, world.ben.id)
        of_mother, of_child = [
            json.loads((world.folder / "favorites" / f"{code}.json").read_text()) for code in (mother, child)
        ]
        assert of_mother["seed"] == 42
        assert of_mother["votes"] == {"up": 1, "down": 0}
        assert of_mother["parents"] == []
        assert of_child["seed"] is None
        assert of_child["parents"] == [mother]
        assert of_child["generator"] == mother.split("-")[0]
        for about in (of_mother, of_child):
            latent = np.array(about["latent"], np.float32)
            named = await world.app.studio.code(about["code"])
            assert latent.tobytes() == await world.app.studio.latent(named)
            text = json.dumps(about)
            assert str(world.ada.id) not in text
            assert str(world.ben.id) not in text


async def test_missing_files_are_written_again(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        code = world.code
        await world.ada.click(world.last, custom_id=f"bag:save:{code}")
        files = [world.folder / "favorites" / f"{code}{end}" for end in (".png", "-large.png", ".json")]
        kept = [file.read_bytes() for file in files]
        files[0].unlink()
        files[2].unlink()
        await world.restart()
        await until(lambda: all(file.exists() for file in files))
        assert [file.read_bytes() for file in files] == kept


async def test_a_design_may_be_a_favorite_of_two_servers(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        code = world.code
        for guild in (world.guild.id, 777):
            assert await world.keep(code, guild, world.ben.id)
        assert await world.app.store.unsave(code, 777, world.ben.id)
        assert await world.app.store.is_favorite(code, world.guild.id)
        assert await world.app.store.tally(code) == Tally()


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
        await world.app.studio.generators.prune(await world.app.store.versions_in_use())
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
        assert world.ada.mention in fields["Dreamed"]


async def test_on_a_full_disk_saving_says_so_and_can_be_tried_again(server, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        bag, code = world.last, world.code
        with monkeypatch.context() as patch:
            patch.setattr(files, "write", full)
            result = await world.ada.click(bag, custom_id=f"bag:save:{code}")
        assert "disk is full" in result.response.content
        result = await world.ada.click(bag, custom_id=f"bag:save:{code}")
        assert "now one of your favorites" in result.response.content


async def test_somebody_is_found_by_name_as_discord_finds_them(server):
    async with server() as world:
        grace = world.guild.add_member(world.env.create_user("grace.hopper"), nick="Amazing Grace")
        everybody = world.guild.add_member(world.env.create_user("benedict"))
        saved = {}
        for number, person in enumerate((world.ada, world.ben, grace)):
            await world.ada.send(world.channel, f"!bag {number}")
            await person.click(world.last, custom_id=f"bag:save:{world.code}")
            saved[person] = world.code
        await world.restart()  # and nobody has spoken since
        for name, person in (
            *(("ben", world.ben), ("BEN", world.ben), ("@ben", world.ben), (str(world.ben.id), world.ben)),
            *(("grace.hopper", grace), ("amazing grace", grace), ("Amazing", grace), (grace.mention, grace)),
            *(("me", world.ada), ("Mine", world.ada), ("gra", grace)),
        ):
            await world.ada.send(world.channel, f"!bag favorites {name}")
            shown = world.last.embeds[0].description
            assert [code for code in saved.values() if code in shown] == [saved[person]], name
        for name in (
            "nobody",
            "123456789012345678",
            "42",
            "<@123456789012345678>",
            "b",
            "x" * 500,
            "@everyone",
        ):
            await world.ben.send(world.channel, f"!bag favorites {name}")
            assert "Nobody here is called" in world.whispers(world.ben)[-1], name
            assert len(world.whispers(world.ben)[-1]) < 400
        stranger = world.env.create_user("mallory")
        await world.ben.send(world.channel, f"!bag favorites {stranger.id}")
        assert "Nobody here is called" in world.whispers(world.ben)[-1]
        assert "mallory" not in world.whispers(world.ben)[-1]
        await world.ada.send(world.channel, f"!bag favorites {everybody.mention}")
        assert "benedict has no favorites" in world.whispers(world.ada)[-1]


async def test_a_name_is_shown_as_a_name_and_as_nothing_else(server):
    names = {
        "**bold** _x_ `y`": r"\*\*bold\*\* \_x\_ \`y\`",
        "[a](https://b.example)": r"\[a\]\(https\:\/\/b\.example\)",
        "# one\ntwo": r"\# one two",
        "\u202eevil\u2066\u200b": "evil",
        "<@1>": r"\<\@1\>",
        "\u202e": "omebody",
        "Zoë 👩\u200d🚀": "Zoë 👩\u200d🚀",
    }
    async with server() as world:
        for number, (name, shown) in enumerate(names.items()):
            someone = world.guild.add_member(world.env.create_user(f"someone{number}"), nick=name)
            await world.ada.send(world.channel, f"!bag favorites {someone.mention}")
            assert world.whispers(world.ada)[-1].partition(" has no favorites")[0].endswith(shown), name
            await world.ada.send(world.channel, "!bag 42")
            await someone.click(world.last, custom_id=f"bag:save:{world.code}")
            await world.ada.send(world.channel, f"!bag favorites {someone.mention}")
            assert world.last.embeds[0].title.endswith(f"of {shown}".replace("of o", "of so")), name


async def test_people_are_named_where_they_dreamed_and_nowhere_else(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        code = world.code
        await world.ada.click(world.last, custom_id=f"bag:save:{code}")
        elsewhere = world.env.create_guild("Elsewhere", owner=world.ben.user)
        there, cleo = elsewhere.create_text_channel("general"), elsewhere.add_member(elsewhere.owner)
        await cleo.send(there, f"!bag show {code}")
        shown = there.last_message.embeds[0].to_dict()
        assert str(world.ada.id) not in json.dumps(shown)
        await world.app.store.vote(code, cleo.id, elsewhere.id, 1)
        best = await world.app.weekly.message(elsewhere.id, Choice(week(datetime.now(UTC))))
        assert code in best["embed"].description
        assert str(world.ada.id) not in best["embed"].description
        await world.ben.send(world.channel, f"!bag show {code}")
        assert world.ada.mention in json.dumps(world.last.embeds[0].to_dict())


async def test_private_messages_are_a_place_of_one_person(server):
    async with server() as world:
        await world.ada.send_dm("!bag 42")
        bag = world.ada.user.dm_channel.history()[-1]
        code = bag.embeds[0].title.split()[-1]
        for action in ("save", "up"):
            await world.ada.user.click(bag, custom_id=f"bag:{action}:{code}")
        shown = {}
        for person in (world.ada, world.ben):
            await person.send_dm(f"!bag show {code}")
            shown[person] = json.dumps(person.user.dm_channel.history()[-1].embeds[0].to_dict())
        assert shown[world.ada].count(world.ada.mention) == 2  # who dreamed it, and who saved it
        assert str(world.ada.id) not in shown[world.ben]
        suggested = world.app.store.suggestions
        assert await suggested("", -world.ada.id, 0, 25) == [code]
        assert await suggested("", -world.ben.id, 0, 25) == []
        assert await suggested("", 0, 0, 25) == []

        await world.app.store.forget(world.ada.id)
        async with world.app.store.engine.connect() as connection:
            for table in Base.metadata.tables.values():
                for row in await connection.execute(table.select()):
                    assert not {world.ada.id, -world.ada.id} & set(row), table.name
