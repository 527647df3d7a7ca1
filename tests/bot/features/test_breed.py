"""`!bag variations`, `!bag breed`, `!bag show`, 🔀 and 💞: designs with parents."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from gan.run import Run
from tests.bot.world import begin_run, finish_run, make_generator

LIMIT = 8 * 2**20


def codes_of(message, custom_id="bag:pick"):
    """The designs in the list, or on the buttons, under a message."""
    controls = [item for row in message.components for item in row.children]
    lists = [item for item in controls if item.custom_id == custom_id]
    if lists:
        return [option.value for option in lists[0].options]
    begin = f"{custom_id}:"
    return [item.custom_id.removeprefix(begin) for item in controls if item.custom_id.startswith(begin)]


async def image(message, name=None):
    """A picture of a message, as bytes."""
    return await next(file for file in message.attachments if name is None or file.filename == name).read()


async def test_variations_are_four_kin_of_a_bag(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        original, code = Image.open(BytesIO(await image(world.last))), world.code
        await world.ada.send(world.channel, f"!bag variations {code}")
        litter = codes_of(world.last)
        assert len(set(litter)) == 4
        assert code in world.last.embeds[0].title
        assert all(name in world.last.attachments[0].description for name in litter)
        await world.ada.send(world.channel, "!bag 43")
        stranger = Image.open(BytesIO(await image(world.last)))
        away = distance(original, stranger)
        for name in litter:
            await world.ada.send(world.channel, f"!bag {name}")
            assert world.code == name
            assert 0 < distance(original, Image.open(BytesIO(await image(world.last)))) < away


def distance(a, b):
    return float(np.abs(np.asarray(a, float) - np.asarray(b, float)).mean())


async def test_variations_by_slash(server):
    async with server() as world:
        result = await world.ada.slash(world.channel, "bag variations", code="42")
        assert len(codes_of(result.response.message)) == 4


async def test_breed_gives_four_children_by_prefix_and_slash(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag breed 42 7")
        assert len(set(codes_of(world.last))) == 4
        result = await world.ben.slash(world.channel, "bag breed", a="42", b="7")
        assert len(set(codes_of(result.response.message))) == 4


async def test_vary_and_four_more_after_a_restart(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        code = world.code
        await world.restart()
        await world.more(world.ben, world.last, f"bag:vary:{code}")
        first = codes_of(world.last)
        await world.restart()
        await world.ada.click(world.last, custom_id=f"bag:vary:{code}")
        assert not set(first) & set(codes_of(world.last))


async def test_two_of_a_grid_are_bred_after_a_restart_and_once_more(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag grid 5")
        a, _, b, *_ = codes_of(world.last, "bag:breed")
        await world.restart()
        await world.ben.select(world.last, [a, b], custom_id="bag:breed")
        first = codes_of(world.last)
        assert a in world.last.embeds[0].title
        assert b in world.last.embeds[0].title
        await world.restart()
        await world.ada.click(world.last, custom_id=f"bag:litter:{a}:{b}")
        assert not set(first) & set(codes_of(world.last))


async def test_a_bag_is_bred_with_one_of_a_private_list(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 7")
        mate = world.code
        await world.ada.send(world.channel, "!bag 42")
        code, bag = world.code, world.last
        await world.restart()
        result = await world.more(world.ada, bag, f"bag:mate:{code}")
        assert result.ephemeral
        listed = result.followups[0] if result.followups else result.response
        assert codes_of(listed.message, f"bag:with:{code}") == [mate]
        await world.restart()
        await world.ada.select(listed.message, [mate], custom_id=f"bag:with:{code}")
        assert world.last.embeds[0].title == f"Children of {code} and {mate}"


async def test_the_only_bag_of_its_generator_has_nobody_to_be_bred_with(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        result = await world.more(world.ada, world.last, f"bag:mate:{world.code}")
        assert "another bag" in result.response.content


async def test_a_child_draws_the_very_same_bag_after_a_restart_and_another_run(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag breed 42 7")
        grid, child = world.last, codes_of(world.last)[2]
        await world.pick(world.ben, grid, child)
        first = await image(world.last)
        newer = Run(world.folder / "runs" / "2027-01-01-0000")
        make_generator(newer, seed=1)
        begin_run(newer)
        finish_run(newer, 1)
        await world.restart()
        world.app.studio._pictures.clear()
        other = world.env.create_guild("Another server", owner=world.ben.user)
        channel = other.create_text_channel("bags")
        await other.add_member(world.ada.user).send(channel, f"!bag {child}")
        assert await image(channel.last_message) == first


async def test_a_bred_bag_is_voted_on_saved_and_bred_again(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag breed 42 7")
        child = codes_of(world.last)[0]
        await world.ada.send(world.channel, f"!bag {child}")
        bag = world.last
        await world.ben.click(bag, custom_id=f"bag:up:{child}")
        await world.ben.click(bag, custom_id=f"bag:save:{child}")
        assert (world.folder / "favorites" / f"{child}.png").exists()
        await world.more(world.ben, bag, f"bag:vary:{child}")
        grandchild = codes_of(world.last)[0]
        await world.ada.send(world.channel, f"!bag show {grandchild}")
        assert child in world.last.attachments[1].description


async def test_show_draws_the_family_and_names_parents_and_children(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag breed 42 7")
        a, b, *_ = codes_of(world.last)
        await world.ada.send(world.channel, f"!bag breed {a} {b}")
        child = codes_of(world.last)[0]
        await world.ada.send(world.channel, f"!bag variations {child}")
        variations = codes_of(world.last)
        for shown in (
            await world.ada.send(world.channel, f"!bag show {child}") and world.last,
            (await world.ben.slash(world.channel, "bag show", code=child)).response.message,
        ):
            tree = next(file for file in shown.attachments if file.filename == "family.png")
            drawn = Image.open(BytesIO(await tree.read()))
            assert drawn.size > (400, 400)
            assert tree.size <= LIMIT
            assert child in tree.description
            assert all(f"{version_of(child)}-{seed}" in tree.description for seed in (42, 7))
            fields = {field.name: field.value for field in shown.embeds[0].fields}
            assert fields["Bred"] == f"a child of `{a}` and `{b}`"
            assert all(name in fields["Children"] for name in variations)


def version_of(code):
    return code.partition("-")[0]


async def test_a_founder_has_children_but_no_tree(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag variations 42")
        litter = codes_of(world.last)
        await world.ada.send(world.channel, "!bag show 42")
        assert len(world.last.attachments) == 1
        fields = {field.name: field.value for field in world.last.embeds[0].fields}
        assert fields["Seed"] == "42"
        assert all(name in fields["Children"] for name in litter)


async def test_the_steps_of_a_morph_are_designs(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag morph 1 2")
        steps = codes_of(world.last)
        strip = Image.open(BytesIO(await image(world.last, "strip.png"))).convert("RGB")
        assert len(steps) == 8
        assert steps[0].endswith("-1")
        assert steps[-1].endswith("-2")
        morph = world.last
        await world.pick(world.ben, morph, steps[3])
        assert world.code == steps[3]
        picked = Image.open(BytesIO(await image(world.last))).convert("RGB").resize((128, 128))
        cells = [strip.crop((2 + 130 * i, 2, 130 + 130 * i, 130)) for i in range(8)]
        # The number in the corner is no part of the bag.
        nearest = min(range(8), key=lambda i: distance(cells[i], picked))
        assert nearest == 3
        await world.ben.select(morph, [steps[2], steps[5]], custom_id="bag:breed")
        assert steps[2] in world.last.embeds[0].title
        await world.ada.send(world.channel, f"!bag show {steps[3]}")
        fields = {field.name: field.value for field in world.last.embeds[0].fields}
        assert fields["Bred"].startswith("43% of the way from")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("!bag breed 42", "!bag breed 42 7"),
        ("!bag breed 42 42", "!bag variations"),
        ("!bag breed 42 7 8", "!bag breed 42 7"),
        ("!bag breed 42 banana", "banana"),
        ("!bag breed 42 zzzz-7", "different generators"),
        ("!bag breed 42 zzzz-abcdefgh", "different generators"),
        ("!bag variations", "!bag variations 42"),
        ("!bag variations zzzz-7", "no longer have the generator"),
        ("!bag show", "!bag show"),
    ],
)
async def test_bad_breeding_gets_one_private_line(server, said, told):
    async with server() as world:
        await world.ada.send(world.channel, said)
        (whisper,) = world.whispers(world.ada)
        assert told in whisper
        assert "\n" not in whisper
        assert len(world.channel.history()) == 1


async def test_a_bred_code_that_nobody_bred_is_no_bag(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        unknown = f"{version_of(world.code)}-abcdefgh"
        commands = (f"{unknown}", f"variations {unknown}", f"breed 42 {unknown}", f"morph 42 {unknown}")
        for command in (*commands, f"vote 42 {unknown}"):
            await world.ada.send(world.channel, f"!bag {command}")
        whispers = world.whispers(world.ada)
        assert len(whispers) == 5
        assert all("I don't know a bag" in whisper for whisper in whispers)


async def test_the_hint_for_two_generators_works(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        old = world.code
        newer = Run(world.folder / "runs" / "2027-01-01-0000")
        make_generator(newer, seed=1)
        begin_run(newer)
        finish_run(newer, 1)
        await world.ada.send(world.channel, f"!bag breed {old} 7")
        hint = world.whispers(world.ada)[0].split("`")[-2]
        await world.ada.send(world.channel, hint)
        assert len(codes_of(world.last)) == 4


async def test_bags_of_others_long_ago_are_suggested_as_mates(server):
    async with server() as world:
        await world.ben.send(world.channel, "!bag grid 4")
        version = version_of(codes_of(world.last)[0])
        store = world.app.store
        assert len(await store.suggestions("", 77, 88, 25)) == 0
        assert len(await store.suggestions("", 77, 88, 25, version)) == 4
        assert len(await store.suggestions("", 77, 88, 25, "zzzz")) == 0
