"""`!bag export`: a server's favorites as zip files that are small enough, for the admin alone."""

import csv
import io
import zipfile
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.features.favorites.export import Kept, archives


async def favorites(world, seeds):
    codes = []
    for seed in seeds:
        await world.ada.send(world.channel, f"!bag {seed}")
        codes.append(world.code)
        await world.ben.click(world.last, custom_id=f"bag:save:{world.code}")
    return codes


async def opened(attachment):
    return zipfile.ZipFile(io.BytesIO(await attachment.read()))


def index(archive):
    return list(csv.DictReader(io.StringIO(archive.read("index.csv").decode())))


async def test_the_favorites_come_as_a_zip_in_private(server):
    async with server() as world:
        codes = await favorites(world, [1, 2])
        await world.ada.click(world.last, custom_id=f"bag:up:{codes[-1]}")
        result = await world.ada.slash(world.channel, "bag export")
        assert result.ephemeral
        by_slash = await opened(result.response.attachments[0])

        posts = len(world.channel.history())
        await world.ada.send(world.channel, "!bag export")
        assert len(world.channel.history()) == posts + 1  # only what ada said
        (sent,) = [message for message in world.ada.user.dm_channel.history() if message.attachments]
        by_prefix = await opened(sent.attachments[0])

        for archive in (by_slash, by_prefix):
            rows = index(archive)
            assert [row["code"] for row in rows] == codes[::-1]  # newest first
            assert (rows[0]["up"], rows[0]["by_vote"]) == ("1", "0")
            for code in codes:
                for name in (f"{code}.png", f"{code}-large.png", f"{code}.json"):
                    assert archive.read(name) == (world.folder / "favorites" / name).read_bytes()
            assert str(world.ben.id) not in archive.read("index.csv").decode()  # it names nobody


async def test_only_admins_get_it_and_only_if_there_is_something(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag export")
        assert "no favorites yet" in world.whispers(world.ada)[0]
        await favorites(world, [1])
        await world.ben.send(world.channel, "!bag export")
        result = await world.ben.slash(world.channel, "bag export")
        for text in (world.whispers(world.ben)[-1], result.response.content):
            assert "Manage Server" in text
        assert not result.response.attachments


async def test_too_many_for_one_file_come_in_several_and_the_rest_is_told(server, monkeypatch):
    async with server() as world:
        codes = await favorites(world, range(8))
        size = sum(path.stat().st_size for path in (world.folder / "favorites").glob(f"{codes[0]}*"))
        monkeypatch.setattr("bot.features.favorites.export.MAX_UPLOAD", int(1.5 * size))
        result = await world.ada.slash(world.channel, "bag export")
        files = [result.response, *result.followups]
        archives = [await opened(message.attachments[0]) for message in files if message.attachments]
        assert [[row["code"] for row in index(archive)] for archive in archives] == [
            [code] for code in codes[:2:-1]
        ]
        assert "newest 5 of 8" in files[4].content
        assert "no more files" in files[-1].content


async def test_who_takes_no_private_messages_is_told_so_and_gets_no_file_in_public(server, monkeypatch):
    monkeypatch.setattr("bot.client.replies.LINGER_SECONDS", 0)
    async with server() as world:
        await favorites(world, [1])
        world.env.inject_error("POST", "/channels/*/messages", status=403, code=50007)
        await world.ada.send(world.channel, "!bag export")
        assert world.env.transcript().count("your DMs are closed") > 0
        assert world.last.content == "!bag export"  # the hint has gone, and there was no file


@given(sizes=st.lists(st.integers(0, 3000), max_size=30), most=st.integers(4000, 20_000))
@settings(max_examples=50, deadline=None)
def test_no_archive_is_larger_than_it_may_be_and_nothing_is_lost(tmp_path_factory, sizes, most):
    folder = tmp_path_factory.mktemp("favorites")
    kept = [Kept(f"abcd-{n}", datetime(2026, 11, 22, tzinfo=UTC), False, n, 0) for n in range(len(sizes))]
    for favorite, size in zip(kept, sizes, strict=True):
        if size:  # a favorite without its files is in the index all the same
            (folder / f"{favorite.code}.png").write_bytes(bytes(size))
    made = list(archives(folder, kept, most))
    assert all(len(archive.data) <= most for archive in made)
    zips = [zipfile.ZipFile(io.BytesIO(archive.data)) for archive in made]
    assert [row["code"] for archive in zips for row in index(archive)] == [favorite.code for favorite in kept]
    held = {name: len(archive.read(name)) for archive in zips for name in archive.namelist()}
    assert {f"{k.code}.png": s for k, s in zip(kept, sizes, strict=True) if s}.items() <= held.items()
    assert sum(archive.favorites for archive in made) == len(kept)
