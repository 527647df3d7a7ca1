"""Words: said with `!bag`, in codes, and exchanged by 🎨 and 👜."""

import json
from io import BytesIO

import pytest
from PIL import Image

from bot import words
from bot.codes import Code
from bot.features.autocomplete import completed
from bot.gallery.build import build
from gan.run import Run
from tests.bot.features.test_breed import codes_of
from tests.bot.world import VOCABULARY, begin_run, end_epoch, make_generator, until

FORMS = pytest.mark.parametrize("form", ["prefix", "slash"])


async def ask(world, form, command, **options):
    """Give a command of `!bag`; "dream" is `!bag` itself."""
    if form == "prefix" and command == "dream":
        await world.ada.send(world.channel, " ".join(["!bag", *options.values()]))
    else:
        await world.say(world.ada, form, command, **options)


def words_of(world):
    """The words of the code in the newest message."""
    return Code.of(world.code).words


def buttons(message):
    return [item.custom_id for row in message.components for item in row.children]


@FORMS
async def test_words_steer_a_dream(server, form):
    async with server(vocabulary=VOCABULARY) as world:
        for said, words in (
            ("red tote", "red-tote"),
            ("TOTES, red!", "red-tote"),
            ("a small grey rucksack please", "gray-backpack"),
            ("laptop bags", "laptop-bag"),
            ("black-backpack", "black-backpack"),
        ):
            await ask(world, form, "dream", words=said)
            assert words_of(world) == words, (said, world.whispers(world.ada))
        footer, alt = world.last.embeds[0].footer.text, world.last.attachments[0].description
        assert footer.startswith("a black backpack, dreamed after")
        assert "A dreamed handbag, a black backpack on white" in alt
        await ask(world, form, "dream", words="a bag, please")
        assert words_of(world) == ""
        assert not world.whispers(world.ada)


async def test_a_seed_is_drawn_in_words_in_any_order_and_case_and_always_the_same(server):
    async with server(vocabulary=VOCABULARY) as world:
        await world.ada.send(world.channel, "!bag 42")
        plain, version = await world.last.attachments[0].read(), world.code.partition("-")[0]
        drawn = set()
        for said in (
            *("42 red tote", "tote 42 red", "42-red-tote", "42-tote-red tote", "42-Shopper red"),
            *(f"{version}-42-tote-red", f"{version.upper()}-42-RED-TOTE", f"#{version}-42-red tote"),
        ):
            await world.ben.send(world.channel, f"!bag {said}")
            assert world.code == f"{version}-42-red-tote", (said, world.whispers(world.ben))
            drawn.add(await world.last.attachments[0].read())
            world.app.studio._pictures.clear()
        assert len(drawn) == 1
        assert plain not in drawn
        await world.ben.send(
            world.channel, "!bag 42-blue-tote red"
        )  # beside a code they take the place of its own
        assert world.code == f"{version}-42-red-tote"
        result = await world.ben.slash(world.channel, "bag dream", code="42", words="tote red")
        assert await result.response.attachments[0].read() in drawn
        assert result.response.attachments[0].filename == f"{version}-42-red-tote.png"


async def test_a_seed_without_words_has_its_own_and_show_says_which(server):
    async with server(vocabulary=VOCABULARY) as world:
        own = VOCABULARY.own(42)
        await world.ada.send(world.channel, "!bag 42")
        assert all(word in world.last.attachments[0].description for word in own)
        mine = await world.last.attachments[0].read()
        await world.ada.send(world.channel, f"!bag 42 {' '.join(own)}")
        assert await world.last.attachments[0].read() == mine
        for said in ("42", "42-gold"):
            await world.ada.send(world.channel, f"!bag {said}")
            await world.ada.send(world.channel, f"!bag show {said}")
            (shown,) = (field.value for field in world.last.embeds[0].fields if field.name == "Words")
            by_seed = [word for word in own if said == "42" or VOCABULARY.facet(word).name != "color"]
            assert shown == " · ".join(
                [*(["gold"] if "gold" in said else []), f"{', '.join(by_seed)} by its seed"]
            )


@FORMS
async def test_a_grid_and_a_poll_of_words(server, form):
    async with server(vocabulary=VOCABULARY) as world:
        for options, count, words in (
            ({"count": 4, "words": "clutch"}, 4, "clutch"),
            ({"words": "clutches in grey"}, 9, "gray-clutch"),
        ):
            await world.say(world.ada, form, "grid", **options)
            codes = [Code.of(code) for code in codes_of(world.last)]
            assert len(set(codes)) == count
            assert {code.words for code in codes} == {words}
            assert world.last.embeds[0].title.startswith(f"{count} dreams of a")
            assert "a gray clutch" in world.last.attachments[0].description or words == "clutch"
        await world.say(world.ada, form, "vote", designs="red tote")
        ballots = [item.custom_id.split(":")[-1] for item in world.last.components[0].children]
        assert len(ballots) == 4
        assert {Code.of(code).words for code in ballots} == {"red-tote"}
        await world.ben.click(world.last, custom_id=buttons(world.last)[0])
        assert not world.whispers(world.ben)


async def test_typed_numbers_beside_words_are_counts(server):
    async with server(vocabulary=VOCABULARY) as world:
        for said, count in (("red totes 4", 4), ("16 red", 16), ("red", 9), ("1 a bag", 1)):
            await world.ada.send(world.channel, f"!bag grid {said}")
            assert len(codes_of(world.last)) == count, said
        await world.ada.send(world.channel, "!bag grid 17 red")
        assert world.whispers(world.ada) == ["That number must be between 1 and 16."]


@FORMS
@pytest.mark.parametrize(
    ("command", "said", "told"),
    [
        ("dream", "gren", "“gren” is none of my words. Did you mean **green**?"),
        ("dream", "gird", "Did you mean `!bag grid`?"),
        ("dream", "vots 1 2", "Did you mean `!bag vote 1 2`?"),
        ("dream", "shwo 42", "Did you mean `!bag show 42`?"),
        ("dream", "fav", "Did you mean `!bag favorites`?"),
        ("dream", "red tott", "“tott” is none of my words. Did you mean **tote**?"),
        ("dream", "xyzzy", "“xyzzy” is none of my words.\n**color**: black, red"),
        ("dream", "красная", "“красная” is none of my words."),
        ("dream", "red black", "Black and red are both a color: a bag has one."),
        ("dream", "42-red-blue", "Red and blue are both a color"),
        ("dream", "42-mauve", "“mauve” is none of my words."),
        ("dream", "42 7", "Those are several bags."),
        ("dream", "99999999999", "Seeds go from 0"),
        ("grid", "totte", "Did you mean **tote**?"),
        ("vote", "totte", "Did you mean **tote**?"),
        ("vote", "red blue", "are both a color"),
    ],
)
async def test_what_is_not_understood_is_told_in_private(server, form, command, said, told):
    async with server(vocabulary=VOCABULARY) as world:
        option = {"dream": "words", "grid": "words", "vote": "designs"}[command]
        before = len(world.channel.history())
        if form == "prefix":
            await ask(world, form, command, **{option: said})
            (whisper,) = world.whispers(world.ada)
            assert len(world.channel.history()) == before + 1
        else:
            result = await world.ada.slash(world.channel, f"bag {command}", **{option: said})
            assert result.ephemeral
            whisper, told = result.response.content, told.replace("!bag", "/bag")
        assert told in whisper


async def test_a_word_that_is_also_a_command(server):
    async with server(vocabulary=VOCABULARY.model_copy(update={"aliases": {"top": "tote"}})) as world:
        await world.ada.send(world.channel, "!bag top")
        assert "Nobody has voted" in world.whispers(world.ada)[0]
        for said in ("dream top", "a top", "red top"):
            await world.ada.send(world.channel, f"!bag {said}")
            assert words_of(world).endswith("tote"), said


async def test_a_generator_without_words_says_so_kindly(server):
    async with server() as world:
        for said in ("red tote", "42 red", "42-red", "grid clutch", "interpolate 42-red 42-blue"):
            await world.ada.send(world.channel, f"!bag {said}")
            told = world.whispers(world.ada)[-1]
            assert "the next training run learns them" in told, said
        assert len(world.whispers(world.ada)) == 5
        await world.ada.send(world.channel, "!bag 42")
        assert not any("restyle" in custom_id for custom_id in buttons(world.last))
        assert world.last.embeds[0].footer.text.startswith("dreamed after")


@FORMS
async def test_the_same_bag_in_other_colors_and_shapes(server, form):
    async with server(vocabulary=VOCABULARY) as world:
        await ask(world, form, "dream", words="42 red tote" if form == "prefix" else "red tote")
        card, code = world.last, Code.of(world.code)
        drawn = await card.attachments[0].read()
        rows = [len(row.children) for row in card.components]
        assert max(rows) <= 5
        await world.restart()
        for facet, others in (
            (0, ["black", "gray", "green", "gold", "blue", "pink", "white", "brown"]),
            (1, ["clutch", "laptop bag", "backpack"]),
        ):
            await world.more(world.ben, card, f"bag:restyle:{facet}:{code}")
            strip = world.last
            shown = [Code.of(each) for each in codes_of(strip)]
            slugs = [word.replace(" ", "-") for word in others]
            assert [each.words for each in shown] == [
                f"{word}-tote" if facet == 0 else f"red-{word}" for word in slugs
            ]
            assert {(each.version, each.name) for each in shown} == {(code.version, code.name)}
            assert all(word in strip.embeds[0].description for word in others)
            await world.pick(world.ben, strip, str(shown[1]))
            assert world.code == str(shown[1])
            assert await world.last.attachments[0].read() != drawn
            if facet == 0:
                await world.ben.click(strip, custom_id=f"bag:restyle:0:{code}:8")
                assert [Code.of(each).words for each in codes_of(world.last)] == ["beige-tote"]
        assert not world.whispers(world.ben)


async def test_a_bred_bag_in_other_colors_is_a_bred_one(server):
    async with server(vocabulary=VOCABULARY) as world:
        await world.ada.send(world.channel, "!bag breed 42-red-tote 7-red-clutch")
        child = codes_of(world.last)[0]
        await world.ada.send(world.channel, f"!bag {child}")
        card = world.last
        assert card.embeds[0].footer.text.startswith("a red")
        await world.more(world.ben, card, f"bag:restyle:0:{child}")
        strip = codes_of(world.last)
        assert len(set(strip)) == 8
        green = strip[2]
        await world.pick(world.ben, world.last, green)
        first = await world.last.attachments[0].read()
        assert world.last.embeds[0].footer.text.startswith("a green")
        await world.ada.send(world.channel, f"!bag {child} green")  # said, it is the same design
        assert world.code == green
        assert await world.last.attachments[0].read() == first
        await world.ada.send(world.channel, f"!bag {green} green")
        assert world.code == green
        await world.ada.send(world.channel, f"!bag show {green}")
        fields = {field.name: field.value for field in world.last.embeds[0].fields}
        assert fields["Bred"] == f"`{child}` in other words"
        assert fields["Words"].startswith("green, ")
        latents = await world.app.store.latents([Code.of(child), Code.of(green)])
        old, new = latents.values()
        assert old[: 16 * 4] == new[: 16 * 4]
        assert old != new


async def test_another_has_the_same_words(server):
    async with server(vocabulary=VOCABULARY) as world:
        await world.ada.send(world.channel, "!bag red tote")
        code = world.code
        await world.ben.click(world.last, custom_id="bag:again:red-tote")
        assert world.code != code
        assert words_of(world) == "red-tote"


async def test_words_are_bred_and_walked_through(server):
    async with server(vocabulary=VOCABULARY) as world:
        await world.ada.send(world.channel, "!bag interpolate 42-red-tote 42-blue-tote 8")
        morph, strip = world.last.attachments
        frames = Image.open(BytesIO(await morph.read()))
        assert frames.n_frames == 14
        steps = codes_of(world.last)
        assert steps[0].endswith("-42-red-tote")
        assert steps[7].endswith("-42-blue-tote")
        assert "42-red-tote" in strip.description
        for step, color in ((steps[2], "red"), (steps[5], "blue")):
            await world.ada.send(world.channel, f"!bag {step}")
            assert world.last.embeds[0].footer.text.startswith(f"a {color} tote,")
        await world.ada.send(world.channel, "!bag variations 42-red-tote")
        for code in codes_of(world.last)[:2]:
            await world.ada.send(world.channel, f"!bag {code}")
            assert world.last.embeds[0].footer.text.startswith("a red tote,")


async def test_a_favorite_with_words_in_the_hall_in_its_files_and_in_the_gallery(server):
    async with server(vocabulary=VOCABULARY) as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        await world.ada.send(world.channel, "!bag 42 red tote")
        card, code = world.last, world.code
        await world.ada.click(card, custom_id=f"bag:save:{code}")
        await until(lambda: hall.last_message)
        await world.ben.click(card, custom_id=f"bag:up:{code}")
        for of in (lambda: world.now(card), lambda: hall.last_message):
            await until(lambda of=of: of().components[0].children[0].label == "1")
            assert f"bag:more:{code}" in buttons(of())
        about = json.loads((world.folder / "favorites" / f"{code}.json").read_text())
        assert (about["code"], about["seed"], about["words"]) == (
            code,
            42,
            {"color": "red", "category": "tote"},
        )
        assert len(about["latent"]) == 16 + len(VOCABULARY.words)
        gallery = world.folder / "gallery"
        await build(world.app.config, world.app.pool, gallery, "")
        page = (gallery / "bags" / f"{code}.html").read_text()
        assert "A dreamed handbag, a red tote on white" in page
        assert (gallery / "pictures" / f"{code}.webp").exists()


async def test_long_codes_fit_wherever_codes_go(server):
    words = VOCABULARY.model_dump()
    names = ["a very long color name", "another long color name"]
    words["facets"] = [
        {"name": "color", "words": names, "counts": [9, 8]},
        {"name": "category", "words": ["a long name of a shape", "another name of one"], "counts": [9, 8]},
    ]
    words |= {"aliases": {}, "sets": [[0, 0, 5]]}
    vocabulary = type(VOCABULARY).model_validate(words, strict=False)
    async with server(vocabulary=vocabulary) as world:
        seeds = (4294967295, 4294967294, 4294967293, 4294967292)
        said = [f"{seed}-a-very-long-color-name-a-long-name-of-a-shape" for seed in seeds]
        await world.ada.send(world.channel, f"!bag vote {' '.join(said)}")
        ballot = world.last.components[0].children[3]
        assert len(ballot.custom_id) <= 100
        assert len(ballot.label) <= 80
        code = ballot.custom_id.split(":")[-1]
        await world.ada.send(world.channel, f"!bag {code}")
        for custom_id in (f"bag:up:{code}", f"bag:save:{code}"):
            await world.ben.click(world.last, custom_id=custom_id)
        assert (world.folder / "favorites" / f"{code}-large.png").exists()
        await world.ada.send(world.channel, f"!bag breed {said[0]} {said[1]}")
        litter = world.last
        more = buttons(litter)[-1]
        assert more.startswith("bag:siblings:")
        await world.restart()
        await world.ben.click(litter, custom_id=more)
        assert world.last.embeds[0].title == litter.embeds[0].title
        child = codes_of(world.last)[0]
        await world.ada.send(world.channel, f"!bag show {child}")
        assert world.last.attachments[1].filename == "family.png"


async def test_a_newer_generator_that_lacks_a_word_says_so(server):
    async with server(vocabulary=VOCABULARY) as world:
        await world.ada.send(world.channel, "!bag 42 red tote")
        card, code = world.last, world.code
        drawn = await card.attachments[0].read()
        newer = Run(world.folder / "runs" / "2027-01-01-0000")
        make_generator(newer, seed=1)
        begin_run(newer)
        for number in (1, 2):
            end_epoch(newer, number)
        await world.restart()
        world.app.studio._pictures.clear()
        await world.ben.send(world.channel, f"!bag {code}")
        assert await world.last.attachments[0].read() == drawn
        await world.more(world.ben, world.last, f"bag:restyle:0:{code}")
        assert codes_of(world.last)[0].endswith("-42-black-tote")
        result = await world.ben.click(card, custom_id="bag:again:red-tote")
        assert "knows no words yet" in result.response.content


@pytest.mark.parametrize(
    ("typed", "completes"),
    [
        ("", ["black", "tote", "clutch"]),
        ("gr", ["gray", "green"]),
        ("grey", ["gray"]),
        ("red ", ["red tote", "red clutch", "red laptop bag", "red backpack"]),
        ("red laptop b", ["red laptop bag"]),
        ("a small red ruck", ["a small red backpack"]),
        ("tote re", ["tote red"]),
        ("red bl", []),
        ("xyzzy ", []),
    ],
)
def test_the_last_word_is_completed(typed, completes):
    found = completed(VOCABULARY, typed)
    assert found[: len(completes)] == completes
    assert bool(found) == bool(completes)


@pytest.mark.parametrize(
    ("command", "option", "typed", "first"),
    [
        ("bag dream", "words", "red t", "red tote"),
        ("bag grid", "words", "clu", "clutch"),
        ("bag vote", "designs", "red t", "red tote"),
    ],
)
async def test_slash_commands_complete_words(server, command, option, typed, first):
    async with server(vocabulary=VOCABULARY) as world:
        choices = await world.ada.autocomplete(world.channel, command, option, typed)
        assert choices[0]["value"] == first


def test_a_brand_is_named_only_where_somebody_said_it():
    said = {"color": "red", "category": "tote", "brand": "Adidas"}
    assert words.bag_of(said) == "a red tote"
    assert words.bag_of(said, brand=True) == "a red Adidas tote"
    assert words.bag_of({"brand": "Adidas"}) == ""
