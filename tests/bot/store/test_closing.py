"""A process whose tasks are cancelled while the store works comes to its end."""

import subprocess
import sys

SCRIPT = """
import asyncio, sys
from sqlalchemy import text
from bot.store.store import Store

LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 3000000) SELECT max(i) FROM n"

async def main():
    store = Store(f"sqlite+aiosqlite:///{sys.argv[1]}/bot.db")
    await store.open()

    async def ask():
        async with store.engine.connect() as connection:
            await connection.execute(text(LONG))

    task = asyncio.create_task(ask())
    await asyncio.sleep(0.1)
    task.cancel()  # as the schedule does with its jobs when the bot goes
    await asyncio.sleep(0.02)
    task.cancel()  # and then asyncio.run with what is left
    await asyncio.wait([task])

asyncio.run(main())
"""


def test_a_question_cancelled_twice_keeps_nobody_waiting(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], timeout=60, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
