"""How long a store takes to answer, with 10,000 designs and with 1,000,000, each with ten votes.

    python -m benchmarks.store [--quick] [--json]

Medians of 100 questions, in ms. With --quick every design has one vote.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

# When this runs as a file, its own folder comes first, where bot.py hides the package of that name.
sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.crowd import FIRST, GUILD, VERSION, fill
from bot.store.store import Store


async def measure(designs: int, votes_each: int) -> dict[str, Any]:
    """Medians in ms of what a full store is asked."""
    with tempfile.TemporaryDirectory(prefix="bench-store-") as name:
        path = Path(name, "bot.db")
        url = f"sqlite+aiosqlite:///{path}"
        empty = Store(url)
        await empty.open()
        await empty.close()
        began = time.perf_counter()
        size = await asyncio.to_thread(fill, path, designs, votes_each)
        filled = time.perf_counter() - began
        store = Store(url)
        await store.open()

        def code(n: int) -> str:
            return f"{VERSION}-{FIRST + n * 7919 % designs}"

        async def median(ask: Callable[[int], Awaitable[object]]) -> float:
            took = []
            for number in range(100):
                began = time.perf_counter()
                await ask(number)
                took.append(time.perf_counter() - began)
            return round(1000 * sorted(took)[50], 2)

        try:
            return {
                "designs": designs,
                "votes": designs * votes_each,
                "fill_s": round(filled, 1),
                "mb": round(size / 2**20),
                "top_ms": await median(lambda n: store.top(GUILD, 9)),
                "top_week_ms": await median(lambda n: store.top(GUILD, 9, "2024-W10")),
                "show_ms": await median(lambda n: store.card(code(n), GUILD)),
                "vote_ms": await median(lambda n: store.vote(code(n), 7, GUILD, 1)),
            }
        finally:
            await store.close()


def main() -> None:
    """Measure, then print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one vote per design instead of ten")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = [asyncio.run(measure(designs, 1 if options.quick else 10)) for designs in (10_000, 1_000_000)]
    if options.json:
        print(json.dumps({"stores": found}))
        return
    for store in found:
        print("  ".join(f"{name} {value:,}" for name, value in store.items()))


if __name__ == "__main__":
    main()
