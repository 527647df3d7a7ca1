"""No regular expression of ours takes more than linear time, whatever it is given.

A child process runs each pattern of a package over megabytes made of the pattern's own parts. A quadratic
pattern takes minutes for one of them and a linear one milliseconds, so no deadline needs to be precise.
"""

import ast
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]

import pytest

SIZES = {"scraper": 1_000_000, "bot": 4_000}
"""Characters that a package's patterns must cope with: those of a page, and of Discord's longest message."""
DEADLINE = 300
ORDINARY = (" ", "a", "1", "\n", "\\", '"', "<", "/*", '"\\', ", ", "<a ", "a1 ", "&a", "[{", "a.", "- ")
"""What every pattern is given, repeated."""
SETS = {
    ops.CATEGORY_SPACE: " ",
    ops.CATEGORY_NOT_SPACE: "a",
    ops.CATEGORY_DIGIT: "1",
    ops.CATEGORY_NOT_DIGIT: "a",
    ops.CATEGORY_WORD: "a",
    ops.CATEGORY_NOT_WORD: " ",
}


def probe(*words: str, deadline: float) -> list[str]:
    """Runs `main` in a child process; returns the patterns that it tried. Raises TimeoutExpired."""
    # -P: without the folder of this file on its path, in which the tests' folders have the packages' names.
    child = [sys.executable, "-P", __file__, *words]
    root = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    result = subprocess.run(child, capture_output=True, check=True, timeout=deadline, env=root)
    return result.stdout.decode().splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("package", SIZES)
def test_no_pattern_takes_long(package):
    try:
        tried = probe(package, str(SIZES[package]), deadline=DEADLINE)
    except subprocess.TimeoutExpired as late:
        pytest.fail(f"takes too long: {(late.stdout or b'').decode().splitlines()[-1:]}")

    assert len(tried) >= 15


def test_a_quadratic_pattern_is_noticed():
    with pytest.raises(subprocess.TimeoutExpired):
        probe("--pattern", "<meta[^>]+robots[^>]*>", deadline=2)


def patterns(package: str) -> Iterator[re.Pattern]:
    """The patterns of a package: those in its modules' variables, and those written where they are used."""
    root = importlib.import_module(package)
    for info in pkgutil.walk_packages(root.__path__, f"{package}."):
        if info.name.endswith("__main__") or ".migrations" in info.name:
            continue
        module = importlib.import_module(info.name)
        yield from within(list(vars(module).values()), 3)
        for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name("re")), args=[ast.Constant(str(written)), *_]
                ):
                    yield re.compile(written)


def within(value: object, depth: int) -> Iterator[re.Pattern]:
    """The patterns in a value, in tuples, lists and dictionaries up to a depth."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, (list, tuple, dict)) and depth:
        for each in value.values() if isinstance(value, dict) else value:
            yield from within(each, depth - 1)


def attacks(pattern: re.Pattern) -> set[str]:
    """Texts to repeat, and (before a tab) to begin with: the pattern's parts, each with what precedes it."""
    text = pattern.pattern.decode("latin-1") if isinstance(pattern.pattern, bytes) else pattern.pattern
    found: set[str] = set()

    def sample(tree: parser.SubPattern, before: str) -> str:
        """A text that the tree matches, after `before`."""
        start = before
        for op, value in tree:
            here = before
            if op is ops.LITERAL:
                here += chr(value)
            elif op is ops.NOT_LITERAL:
                here += "a" if value != ord("a") else "b"
            elif op is ops.ANY:
                here += "a"
            elif op is ops.IN:
                here += member(value)
            elif op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
                low, high, body = value
                inside = sample(body, "")
                found.add(f"{before}\t{inside}")
                here += inside * max(low, min(2, high))
            elif op is ops.BRANCH:
                branches = [sample(branch, before) for branch in value[1][:3]]
                here = branches[0]
            elif op is ops.SUBPATTERN:
                here = sample(value[3], before)
            elif op is ops.ATOMIC_GROUP:
                here = sample(value, before)
            elif op in (ops.ASSERT, ops.ASSERT_NOT):
                sample(value[1], before)
            before = here
        found.update((before, before[len(start) :], before[:-1]))
        return before

    sample(parser.parse(text, pattern.flags & ~re.DEBUG if isinstance(pattern.pattern, str) else 0), "")
    return {each for each in found if each}


def member(choices: list) -> str:
    """A character of a set."""
    if choices[0][0] is ops.NEGATE:
        return next(each for each in "a1 -" if re.match(negated(choices), each))
    op, value = choices[0]
    return chr(value) if op is ops.LITERAL else chr(value[0]) if op is ops.RANGE else SETS.get(value, "a")


def negated(choices: list) -> str:
    """The set as a pattern, roughly: only what its members exclude."""
    literals = "".join(re.escape(chr(value)) for op, value in choices if op is ops.LITERAL)
    classes = "".join(
        {" ": r"\s", "1": r"\d", "a": r"\w"}[SETS[value]] for op, value in choices if op is ops.CATEGORY
    )
    return f"[^{literals}{classes}]" if literals or classes else "."


def main(package: str, detail: str) -> None:
    """Searches long texts for each pattern, printed before; `detail` is their length, or the only pattern."""
    alone = package == "--pattern"
    size = SIZES["scraper"] if alone else int(detail)
    found = [re.compile(detail)] if alone else [*patterns(package)][::-1]
    for pattern in {each.pattern: each for each in found}.values():
        sys.stdout.write(f"{pattern!r}\n")
        sys.stdout.flush()
        for attack in sorted({*attacks(pattern), *ORDINARY}):
            beginning, _, repeated = f"\t{attack}".rpartition("\t")
            text = beginning.strip("\t") + repeated * (size // max(1, len(repeated))) + "\0"
            searched = text.encode("latin-1", "replace") if isinstance(pattern.pattern, bytes) else text
            for _ in pattern.finditer(searched):
                pass


if __name__ == "__main__":
    main(*sys.argv[1:])
