"""Taste: what a server votes for is what it is shown."""

import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from bot.codes import Code
from bot.demo.shop.drawing import draw
from bot.drawing import jobs
from bot.drawing.generators import Model
from bot.drawing.look import look
from bot.drawing.preference import PRIOR_VARIANCE, choose, pairs, posterior, principal_axes
from bot.features.daily.taste import liked_word
from bot.guilds import BY_VOTES
from bot.store.votes import Tally
from gan import events
from gan.run import Run
from gan.words import Facet, Vocabulary
from tests.bot.world import VOCABULARY, begin_run, end_epoch, finish_run, make_generator

TODAY = date(2026, 11, 21)

# What people like, learnt from votes on drawn bags ---------------------------------------------


def choose_by(candidates, opinions, seed):
    """The choice among looks by opinions: (look, votes for it, votes against it)."""
    voted, up, down = zip(*opinions, strict=True)
    return choose([(one, "") for one in candidates], [(one, "") for one in voted], up, down, [], seed)


@pytest.fixture(scope="module")
def bags():
    """The pictures of 500 bags, uint8 [500, 64, 64, 3]."""
    return np.stack([np.asarray(draw(number, 64, 64)) for number in range(500)])


def darkness(bags):
    return -bags.mean(axis=(1, 2, 3))


def redness(bags):
    return (bags[..., 0] - bags[..., 1].astype(float)).mean(axis=(1, 2))


def height(bags):
    return (bags.mean(axis=3) < 230).any(axis=2).sum(axis=1) + bags.mean(axis=(1, 2, 3)) / 1e3


@pytest.mark.parametrize("taste", [darkness, redness, height])
def test_picks_are_liked_at_least_twice_as_often_as_chance(bags, taste):
    """A quarter of all bags is liked, one vote in ten is a slip, and 100 bags have a vote each."""
    score = taste(bags)
    liked = score > np.quantile(score, 0.75)
    looks = [look(bag) for bag in bags]
    hits = 0
    for seed in range(20):
        chance = random.Random(seed)
        shown, unseen = np.split(np.array(chance.sample(range(len(bags)), len(bags))), [100])
        votes = [bool(liked[bag]) != (chance.random() < 0.1) for bag in shown]
        opinions = [(looks[bag], int(up), int(not up)) for bag, up in zip(shown, votes, strict=True)]
        choice = choose_by([looks[bag] for bag in unseen], opinions, seed)
        hits += liked[unseen[choice.index]]
    assert hits >= 10  # chance gives 5


@pytest.mark.parametrize(("up", "down"), [(3, 0), (0, 3), (500, 500)])
def test_votes_that_all_say_the_same_are_no_reason_to_fail(up, down):
    gray = [bytes([level] * 256) for level in range(0, 250, 10)]
    choice = choose_by(gray, [(gray[0], up, down)], seed=1)
    assert 0 <= choice.index < len(gray)
    assert 0 < choice.chance < 1


def test_the_posterior_is_flat_at_its_mode():
    chance = np.random.default_rng(0)
    x, up, down = chance.normal(size=(40, 5)), chance.integers(0, 9, 40), chance.integers(0, 2, 40)
    mode, precision = posterior(x, up, down)
    liked = 1 / (1 + np.exp(-x @ mode))
    np.testing.assert_allclose(x.T @ (up - (up + down) * liked), mode / PRIOR_VARIANCE, atol=1e-3)
    by_hand = (x.T * (up + down) * liked * (1 - liked)) @ x + np.eye(5) / PRIOR_VARIANCE
    np.testing.assert_allclose(precision, by_hand, rtol=1e-6)


def test_principal_axes_lie_along_what_varies_most():
    rows = np.outer(np.arange(9.0), [-3, 0, 4]) + np.outer([1.0, -1, 1, -1, 0, 1, -1, 1, -1], [0, 0.1, 0])
    np.testing.assert_allclose(principal_axes(rows, 2).T, [[-0.6, 0, 0.8], [0, 1, 0]], atol=0.01)


def test_many_votes_make_sure():
    black, white = bytes(256), bytes([255] * 256)
    sure = [choose_by([black, white], [(white, n, 0), (black, 0, n)], 1).chance for n in (1, 30)]
    assert sure[0] < sure[1]
    assert choose_by([black, white], [(white, 30, 0), (black, 0, 30)], 1).index == 1


def test_bags_that_all_look_the_same_can_be_chosen_among():
    white = bytes([255] * 256)
    assert choose_by([white] * 5, [(white, 1, 0)], seed=1).index in range(5)


# What they are called teaches too, and so do ballots ----------------------------------------------

COLORS = ("red", "blue", "black", "green")


@pytest.mark.parametrize("by", ["votes", "ballots"])
def test_a_liked_word_is_picked(by):
    """The looks say nothing: only words do."""
    gray = bytes([128] * 256)
    bags = [(gray, f"{COLORS[number % 4]} tote") for number in range(64)]
    picked = []
    for seed in range(10):
        if by == "votes":
            up = [2 * (number % 4 == 0) for number in range(32)]
            choice = choose(bags, bags[:32], up, [2 - likes for likes in up], [], seed)
        else:
            polls = [{first: 3, first + 1: 0, first + 2: 1, first + 3: 0} for first in range(0, 32, 4)]
            choice = choose(bags, bags[:32], [0] * 32, [0] * 32, polls, seed)
        picked.append(bags[choice.index][1])
    assert picked.count("red tote") >= 8


def test_a_ballot_for_one_look_is_one_against_the_others():
    black, white = (bytes(256), ""), (bytes([255] * 256), "")
    for polls, liked in (([{0: 9, 1: 0}] * 4, 0), ([{0: 0, 1: 9}] * 4, 1), ([{1: 9, 0: 0}] * 4, 1)):
        assert choose([black, white], [black, white], [0, 0], [0, 0], polls, 1).index == liked
    assert pairs([{4: 2, 7: 0, 5: 0}, {1: 0, 2: 0}]).tolist() == [[4, 7, 2, 0], [4, 5, 2, 0]]
    assert pairs([]).shape == (0, 4)


def test_a_word_of_the_day_is_one_that_votes_like(tmp_path):
    run = Run(tmp_path)
    make_generator(run, vocabulary=VOCABULARY)
    model = Model("k3f9x2", 3, run.generator, VOCABULARY)
    said = {"a": "red tote", "b": "blue tote", "c": "black", "d": "rococo"}
    votes = {"a": Tally(9, 1), "b": Tally(6, 5), "c": Tally(1, 9), "d": Tally(9, 0)}
    days = [liked_word(said, votes, [], model, random.Random(day)) for day in range(200)]
    counts = Counter(days)
    assert set(counts) == {"red", "blue", "tote"}  # not what is disliked, nor what is not known
    assert counts["red"] > counts["blue"] > 0
    assert liked_word(said, {}, [{"c": 3, "b": 0}], model, random.Random(1)) == "black"
    assert liked_word(said, {}, [], model, random.Random(1)) == ""


def test_a_look_tells_color_place_and_texture():
    image = np.full((64, 64, 3), 255, np.uint8)
    image[32:, :32] = (200, 10, 10)
    image[32:, 32::2] = 0
    fields = np.frombuffer(look(image), np.uint8).reshape(8, 8, 4)
    assert fields[0, 0].tolist() == [255, 255, 255, 0]
    assert fields[7, 0].tolist() == [200, 10, 10, 0]
    assert fields[7, 7, 3] > 200


SMALLER = Vocabulary(
    facets=(Facet(name="category", words=("tote", "clutch"), counts=(50, 40)),), sets=((0, 9), (1, 9))
)

# In a server -----------------------------------------------------------------------------------


@pytest.fixture
def few_candidates(monkeypatch):
    monkeypatch.setattr("bot.features.daily.taste.CANDIDATES", 64)
    monkeypatch.setattr("bot.schedule.POST_SECONDS", 10**6)  # days are posted by hand here


pytestmark = pytest.mark.usefixtures("few_candidates")


async def vote(world, count, guild_id=None):
    """So many votes by twenty people for designs of the newest generator."""
    model = await world.app.studio.current()
    seeds = random.Random(1).sample(range(10_000), count)
    traits = await world.app.pool.draw(jobs.traits, [(model.path, seed) for seed in seeds])
    looks = [look for look, _ in traits]
    codes = [Code.seeded(model.version, seed) for seed in seeds]
    await world.app.store.add_designs(codes, 3, world.guild.id, None, looks)
    for number, code in enumerate(codes):
        where = guild_id or world.guild.id
        await world.app.store.vote(str(code), number % 20, where, 1 if number % 4 == 0 else -1)


async def test_without_a_vote_the_day_gets_a_plain_dream(server):
    async with server() as world:
        pick = await world.app.taste.pick(world.guild.id, TODAY)
        assert pick.reason is None
        assert (await world.app.studio.picture(pick.code)).original


@pytest.mark.parametrize("votes", [0, 30])
async def test_the_pick_of_a_server_and_day_is_the_same_whoever_asks_again(server, votes):
    async with server() as world:
        if votes:
            await vote(world, votes)
        pick = await world.app.taste.pick(world.guild.id, TODAY)
        assert await world.app.taste.pick(world.guild.id, TODAY) == pick
        assert (await world.app.taste.pick(world.guild.id, TODAY + timedelta(1))).code != pick.code
        assert (await world.app.taste.pick(world.guild.id + 1, TODAY)).code != pick.code


async def test_a_pressed_button_teaches_and_the_daily_bag_says_so(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        await world.ben.click(world.last, custom_id=f"bag:up:{world.code}")
        pick = await world.app.taste.pick(world.guild.id, TODAY)
        assert "64 dreams, going by your one vote" in pick.reason
        assert " the odds " in pick.reason
        await world.app.guilds.set_up(world.guild.id, dream_at="0 9 * * *", timezone="UTC")
        await world.catch_up(world.app.daily, datetime(2026, 11, 21, 9, tzinfo=UTC))
        assert pick.reason in world.last.content
        assert world.code == str(pick.code)


async def test_taste_outlives_the_generator_that_it_was_learnt_from(server):
    async with server() as world:
        await vote(world, 30)
        before = await world.app.studio.current()
        run = Run(world.folder / "runs" / "2099-01-01-0000")
        version = make_generator(run, seed=9)
        begin_run(run)
        for number in (1, 2, 3):
            end_epoch(run, number)
            events.append(run.path, events.Checkpoint(epoch=number, version=version))
        finish_run(run, 3)
        pick = await world.app.taste.pick(world.guild.id, TODAY)
        assert pick.code.version == version != before.version
        assert "your 30 votes" in pick.reason


@pytest.mark.parametrize("is_here", [True, False])
async def test_votes_on_what_was_never_drawn_teach_if_it_can_still_be_drawn(server, is_here):
    async with server() as world:
        model = await world.app.studio.current()
        code = Code.seeded(model.version if is_here else "zzzzzz", 5)
        await world.app.store.add_designs([code], 3, world.guild.id, None)
        await world.app.store.vote(str(code), 1, world.guild.id, 1)
        reason = (await world.app.taste.pick(world.guild.id, TODAY)).reason
        assert (reason is not None and "your one vote" in reason) is is_here
        assert list(await world.app.store.traits([str(code)])) == [str(code)] * is_here


async def test_the_newest_votes_count(server, monkeypatch):
    monkeypatch.setattr("bot.features.daily.taste.VOTES", 20)
    async with server() as world:
        await vote(world, 30)
        assert "your 20 votes" in (await world.app.taste.pick(world.guild.id, TODAY)).reason


async def test_what_other_servers_like_says_nothing(server):
    async with server() as world:
        await vote(world, 30, guild_id=world.guild.id + 1)
        assert (await world.app.taste.pick(world.guild.id, TODAY)).reason is None


async def test_a_ballot_teaches(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag vote 1 2")
        choice = world.last.components[0].children[1].custom_id
        assert (await world.app.taste.pick(world.guild.id, TODAY)).reason is None
        await world.ben.click(world.last, custom_id=choice)
        assert "your one vote" in (await world.app.taste.pick(world.guild.id, TODAY)).reason
        version = (await world.app.studio.current()).version
        assert len(await world.app.store.traits([f"{version}-1", f"{version}-2"])) == 2


async def test_votes_teach_words(server):
    async with server(vocabulary=VOCABULARY) as world:
        model = await world.app.studio.current()
        bags = [model.code(seed, ["red" if seed % 2 else "blue"]) for seed in range(40)]
        await world.app.store.add_designs(bags, 3, world.guild.id, None)
        for number, code in enumerate(bags):
            await world.app.store.vote(str(code), 1, world.guild.id, 1 if number % 2 else -1)
        noted = (await world.app.taste._seen(map(str, bags)))[str(bags[1])]
        assert noted[1].startswith("red")
        days = [await world.app.taste.pick(world.guild.id, TODAY + timedelta(n), BY_VOTES) for n in range(4)]
        assert all("chosen by your votes" in day.reason for day in days)
        assert sum(day.code.words == "red" for day in days) >= 1
        assert all(day.code.words not in ("", "blue") for day in days)


# Themes ----------------------------------------------------------------------------------------


def theme_of(world):
    return world.app.guilds.rules(world.guild.id).theme


async def set_theme(world, form, value):
    """An admin sets a theme; the panel's field, or the refusal."""
    if form == "slash":
        result = await world.ada.slash(world.channel, "bag setup", what="theme", value=value)
        assert result.ephemeral
        message = result.response.message
        text = result.response.content
    else:
        before = len(world.channel.history())
        await world.ada.send(world.channel, f"!bag setup theme {value}")
        message = world.last if len(world.channel.history()) > before + 1 else None
        text = "" if message else world.whispers(world.ada)[-1]
    if message is None or not message.embeds:
        return text
    return next(field.value for field in message.embeds[0].fields if field.name == "Its theme")


@pytest.mark.parametrize("form", ["prefix", "slash"])
async def test_a_theme_is_checked_shown_and_followed(server, form):
    async with server(vocabulary=VOCABULARY) as world:
        assert "Did you mean" in await set_theme(world, form, "rde")
        assert "both a color" in await set_theme(world, form, "red and blue")
        assert "takes words such as" in await set_theme(world, form, "a bag")
        assert theme_of(world) == ""
        assert await set_theme(world, form, "VOTES") == "each day a word that your votes like"
        assert await set_theme(world, form, "grey laptop bags, please") == "gray laptop bag"
        assert theme_of(world) == "gray-laptop-bag"

        await world.app.guilds.set_up(world.guild.id, dream_at="0 9 * * *", timezone="UTC")
        await world.catch_up(world.app.daily, datetime(2026, 11, 21, 9, tzinfo=UTC))
        assert "Today's theme: a gray laptop bag." in world.last.content
        assert world.code.endswith("-gray-laptop-bag")
        await world.ben.click(world.last, custom_id=f"bag:up:{world.code}")
        await world.catch_up(world.app.daily, datetime(2026, 11, 22, 9, tzinfo=UTC))
        assert "Today's theme: a gray laptop bag.\nThe best of 64 dreams" in world.last.content
        assert world.code.endswith("-gray-laptop-bag")

        assert await set_theme(world, form, "none") == "none"
        assert theme_of(world) == ""
        await world.catch_up(world.app.daily, datetime(2026, 11, 23, 9, tzinfo=UTC))
        assert "theme" not in world.last.content


async def test_a_later_generator_does_without_the_words_that_it_does_not_know(server):
    async with server(vocabulary=VOCABULARY) as world:
        await set_theme(world, "prefix", "red tote")
        for name, vocabulary in (("2098", SMALLER), ("2099", None)):
            run = Run(world.folder / "runs" / f"{name}-01-01-0000")
            make_generator(run, seed=int(name), vocabulary=vocabulary)
            begin_run(run)
            finish_run(run, 3)
            pick = await world.app.taste.pick(world.guild.id, TODAY, theme_of(world))
            assert pick.code.words == ("tote" if vocabulary else "")
            await world.ada.send(world.channel, "!bag setup")
            (shown,) = (field.value for field in world.last.embeds[0].fields if field.name == "Its theme")
            assert "My present generator doesn't know “red" in shown
            assert theme_of(world) == "red-tote"
        assert "knows no words" in await set_theme(world, "prefix", "blue")


async def test_themes_are_suggested(server):
    async with server(vocabulary=VOCABULARY) as world:
        for typed, found in (("", "votes"), ("red cl", "red clutch"), ("none", "none")):
            offered = await world.ada.autocomplete(world.channel, "bag setup", "value", typed, what="theme")
            assert found in [choice["value"] for choice in offered]
