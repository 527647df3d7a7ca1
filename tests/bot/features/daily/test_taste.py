"""Taste: what a server votes for is what it is shown."""

import random
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from bot.codes import Code
from bot.demo.shop.drawing import draw
from bot.drawing.look import draw_looks, look
from bot.drawing.preference import PRIOR_VARIANCE, choose, posterior, principal_axes
from gan import events
from gan.run import Run
from tests.bot.world import begin_run, end_epoch, finish_run, make_generator

TODAY = date(2026, 11, 21)

# What people like, learnt from votes on drawn bags ---------------------------------------------


def choose_by(candidates, opinions, seed):
    """The choice among looks by opinions: (look, votes for it, votes against it)."""
    voted, up, down = zip(*opinions, strict=True)
    return choose(candidates, voted, up, down, seed)


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


def test_a_look_tells_color_place_and_texture():
    image = np.full((64, 64, 3), 255, np.uint8)
    image[32:, :32] = (200, 10, 10)
    image[32:, 32::2] = 0
    fields = np.frombuffer(look(image), np.uint8).reshape(8, 8, 4)
    assert fields[0, 0].tolist() == [255, 255, 255, 0]
    assert fields[7, 0].tolist() == [200, 10, 10, 0]
    assert fields[7, 7, 3] > 200


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
    looks = await world.app.pool.draw(draw_looks, model.path, seeds)
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


async def test_votes_on_what_was_never_drawn_are_passed_over(server):
    async with server() as world:
        model = await world.app.studio.current()
        code = Code.seeded(model.version, 5)
        await world.app.store.add_designs([code], 3, world.guild.id, None)
        await world.app.store.vote(str(code), 1, world.guild.id, 1)
        assert (await world.app.taste.pick(world.guild.id, TODAY)).reason is None


async def test_the_newest_votes_count(server, monkeypatch):
    monkeypatch.setattr("bot.features.daily.taste.VOTES", 20)
    async with server() as world:
        await vote(world, 30)
        assert "your 20 votes" in (await world.app.taste.pick(world.guild.id, TODAY)).reason


async def test_what_other_servers_like_says_nothing(server):
    async with server() as world:
        await vote(world, 30, guild_id=world.guild.id + 1)
        assert (await world.app.taste.pick(world.guild.id, TODAY)).reason is None
