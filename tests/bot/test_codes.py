"""Codes: what people type, and what a breeding is called."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.codes import CODE_PATTERN, LONGEST, Code, CodeError, apart, parse

versions = st.from_regex(r"[a-z][a-z0-9]{3,7}", fullmatch=True)
seeds = st.integers(0, 2**32 - 1)
names = st.from_regex(r"[a-z][a-z0-9]{7}", fullmatch=True)
said = st.just("") | st.from_regex(r"[a-z0-9]{1,9}(-[a-z0-9]{1,9}){0,4}", fullmatch=True)
designs = st.builds(Code.seeded, versions, seeds, said) | st.builds(Code, versions, names)


@given(designs)
def test_a_code_reads_as_it_is_written(code):
    assert parse(str(code), "zzzz") == code
    assert parse(f" `{code}` ".upper(), "zzzz") == code
    assert Code.of(str(code)) == code
    assert re.fullmatch(CODE_PATTERN, str(code))


@given(versions, seeds)
def test_a_bare_seed_is_the_current_generators(version, seed):
    assert parse(str(seed), version) == Code.seeded(version, seed)
    assert parse(f"000{seed}"[-10:], version).seed == int(f"000{seed}"[-10:])


@given(designs, designs, seeds)
def test_a_breeding_gives_the_same_code_each_time_and_another_for_anything_else(a, b, seed):
    child = Code.bred("child", [a, b], seed)
    assert child == Code.bred("child", [a, b], seed)
    assert child.version == a.version
    assert child.seed is None
    assert Code.of(str(child)) == child
    others = {
        Code.bred("step", [a, b], seed),
        Code.bred("child", [a, b], seed + 1),
        Code.bred("child", [a], seed),
    }
    assert child not in others


def test_a_bred_code_is_the_same_for_ever():
    parents = [Code.of("k3f9x2-42"), Code.of("k3f9x2-7")]
    assert str(Code.bred("child", parents, 1)) == "k3f9x2-vygmtz9i"


@given(st.text() | st.from_regex(CODE_PATTERN))
def test_whatever_is_typed_is_a_code_or_an_error(text):
    with suppress(CodeError):
        code = parse(text, "k3f9")
        assert re.fullmatch(CODE_PATTERN, str(code))
        assert code.seed is None or 0 <= code.seed < 2**32


@pytest.mark.parametrize(
    "text",
    [
        "9" * 5000,
        *("-1", "1e5", "", "٣", "q7h2m0ab"),
        *("k3f9-", "k3f9-99999999999", "k3f9-4294967296", "k3f9-٣"),
        *("k3f9-q7h2m0a", "k3f9-q7h2m0ab9", "k3f9-7abcdefg", "k3f9-q7h2m0ab-red"),
        *("k3f9-42-", "k3f9-42--red", "42-réd", "k3f9-42-" + "r" * LONGEST),
    ],
)
def test_what_is_no_code_is_refused(text):
    with pytest.raises(CodeError):
        parse(text, "k3f9")


def test_words_stand_behind_the_seed():
    code = Code.of("K3F9X2-42-Red-Laptop-Bag")
    assert (code.seed, code.words) == (42, "red-laptop-bag")
    assert parse("42-red", "k3f9x2") == Code.seeded("k3f9x2", 42, "red")
    assert apart("42-red, #7 and k3f9x2-1-red-tote → 9") == "42-red #7 k3f9x2-1-red-tote 9"


@pytest.mark.parametrize("piece", ["#", "1-", "1-a-", "#1-a", "1 and ", "abcd-1-"])
def test_a_long_text_is_read_in_one_go(piece):
    assert piece[0] in apart(piece * 20_000)  # trying again from each place would take an hour


def test_a_seed_is_no_whole_code():
    with pytest.raises(CodeError):
        Code.of("42")
