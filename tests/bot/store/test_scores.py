"""Scores are kept up with every vote, and `top` reads them."""

import asyncio
import itertools
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from bot.codes import Code
from bot.store.models import Score, Vote
from bot.store.votes import EVER, Tally, UnknownDesignError, lower_bound, month, week

MONDAY = datetime(2026, 11, 16, 12, tzinfo=UTC)
examples = itertools.count()

steps = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from("abc"),  # design
            st.integers(1, 4),  # person
            st.integers(0, 1),  # guild
            st.sampled_from([1, -1]),
            st.integers(0, 60),  # day
        ),
        st.integers(1, 4),  # a person who is forgotten
    ),
    max_size=40,
)


async def dreamt(store, *seeds):
    """Designs that the store knows; their codes."""
    codes = [Code.seeded("k3f9x2", seed) for seed in seeds]
    await store.add_designs(codes, 1, 0, None)
    return [str(code) for code in codes]


def recount(votes):
    """Scores from scratch: by guild, period and code."""
    scores = defaultdict(lambda: [0, 0])
    for code, guild, at, value in votes:
        for period in ("", f"{at.year}-{at.month:02}", "{}-W{:02}".format(*at.isocalendar())):
            scores[guild, period, code][value < 0] += 1
    return {key: tuple(counts) for key, counts in scores.items()}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
async def test_after_any_votes_the_scores_equal_a_recount(store, steps):
    example = next(examples)
    codes = dict(zip("abc", await dreamt(store, *(10 * example + n for n in range(3))), strict=True))
    ours = 2 * example + 1000
    votes = {}
    for step in steps:
        if isinstance(step, int):
            await store.forget(step)
            votes = {key: vote for key, vote in votes.items() if key[1] != step}
            continue
        design, person, guild, value, day = step
        key, at = (codes[design], person), MONDAY + timedelta(day)
        tally, _ = await store.vote(codes[design], person, ours + guild, value, at)
        if key in votes and votes[key][2] == value:
            del votes[key]
        else:
            votes[key] = ours + guild, at, value
        all_of_it = [vote for (code, _), vote in votes.items() if code == codes[design]]
        here = [cast for of, _, cast in all_of_it if of == ours + guild]
        everywhere = [cast for _, _, cast in all_of_it]
        assert tally == Tally(here.count(1), here.count(-1))
        assert await store.tally(codes[design]) == Tally(everywhere.count(1), everywhere.count(-1))
    expected = recount((code, *vote) for (code, _), vote in votes.items())
    async with store.engine.connect() as connection:
        rows = await connection.execute(select(Score.__table__).where(Score.guild_id.in_((ours, ours + 1))))
        kept = {(row.guild_id, row.period, row.code): row for row in rows}
    assert {key: (row.up, row.down) for key, row in kept.items() if row.up or row.down} == expected
    for row in kept.values():
        assert row.bound == lower_bound(row.up, row.down)
    for guild in (ours, ours + 1):
        best = [code for code, _ in await store.top(guild, 9)]
        bounds = [kept[guild, "", code].bound for code in best]
        assert bounds == sorted(bounds, reverse=True)
        assert set(best) == {
            code
            for (of, period, code) in expected
            if of == guild and not period and expected[of, period, code][0]
        }
    for person in range(1, 5):  # the next example begins with nobody's votes
        await store.forget(person)


async def test_everybody_at_once_is_counted_exactly(store):
    """200 people press three times each on one design."""
    (code,) = await dreamt(store, 42)
    chance = random.Random(7)
    presses = [(user, chance.choice([1, -1])) for _ in range(3) for user in range(200)]
    await asyncio.gather(*(store.vote(code, user, user % 2, value, MONDAY) for user, value in presses))
    async with store.engine.connect() as connection:
        values = list(await connection.scalars(select(Vote.value).where(Vote.code == code)))
    assert await store.tally(code) == Tally(values.count(1), values.count(-1))
    for period in (EVER, month(MONDAY), week(MONDAY)):
        here, there = [await store.top(guild, 1, period) for guild in (0, 1)]
        assert here[0][1].up + there[0][1].up == values.count(1) > 0


async def test_a_vote_that_goes_leaves_the_period_in_which_it_was_cast(store):
    (code,) = await dreamt(store, 42)
    later = MONDAY + timedelta(14)
    await store.vote(code, 1, 7, 1, MONDAY)
    await store.vote(code, 2, 7, 1, MONDAY)
    await store.vote(code, 1, 7, 1, later)  # taken back
    assert await store.top(7, 9, week(MONDAY)) == [(code, Tally(1, 0))]
    assert await store.top(7, 9, week(later)) == []
    await store.vote(code, 2, 7, -1, later)  # changed
    assert await store.top(7, 9, week(MONDAY)) == []
    await store.vote(code, 2, 8, 1, later)  # changed, in another server
    assert await store.top(7, 9) == []
    assert await store.top(8, 9, month(later)) == [(code, Tally(1, 0))]


async def test_a_week_is_utcs_whatever_the_clock_says(store):
    from zoneinfo import ZoneInfo

    (code,) = await dreamt(store, 42)
    at = datetime(2026, 11, 16, 0, 30, tzinfo=ZoneInfo("Europe/Paris"))  # still Sunday in UTC
    await store.vote(code, 1, 7, 1, at)
    assert await store.top(7, 9, "2026-W46") == [(code, Tally(1, 0))]
    await store.vote(code, 1, 7, 1, at)
    assert await store.top(7, 9, "2026-W46") == []


async def test_a_vote_for_what_nobody_has_seen_is_refused(store):
    with pytest.raises(UnknownDesignError):
        await store.vote("k3f9x2-42", 1, 7, 1)


def test_few_votes_count_for_less_than_many():
    assert lower_bound(9, 1) > lower_bound(2, 0) > lower_bound(1, 0) > lower_bound(0, 5) == 0
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
    assert lower_bound(81, 182) == pytest.approx(0.2553, abs=1e-4)
    assert lower_bound(15, 133) == pytest.approx(0.0624, abs=1e-4)


async def test_top_reads_as_many_rows_as_it_shows(store):
    """No sort and no scan: the index has the order."""
    plan = await _plan(
        store,
        "SELECT code, up, down FROM scores WHERE guild_id = 1 AND period = '' AND bound > 0 "
        "ORDER BY bound DESC, code DESC LIMIT 9",
    )
    assert plan == ["SEARCH scores USING INDEX ix_scores_best (guild_id=? AND period=? AND bound>?)"]
    plan = await _plan(store, "SELECT sum(up) FROM scores WHERE code = 'a' AND period = ''")
    assert plan == ["SEARCH scores USING INDEX ix_scores_code (code=? AND period=?)"]


async def _plan(store, query):
    async with store.engine.connect() as connection:
        return [row.detail for row in await connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))]
