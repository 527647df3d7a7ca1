"""The gallery: a static site that can be looked at with nothing but a browser."""

import errno
import json
import re
import shutil
import uuid
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from lxml import etree
from PIL import Image
from typer.testing import CliRunner

from bot.__main__ import app
from bot.app import App
from bot.gallery.build import build
from bot.gallery.folder import Folder, GalleryError
from tests.bot.gallery.conftest import GUILD, PEOPLE

HTML = "{http://www.w3.org/1999/xhtml}"
ATOM = "{http://www.w3.org/2005/Atom}"


async def change(config, pool, work):
    whole = App(config, pool)
    await whole.store.open()
    await work(whole.store)
    await whole.store.close()


def pages(out):
    return sorted(out.rglob("*.html"))


def parse(page):
    """Strictly: every element closed, every attribute quoted."""
    text = page.read_text()
    assert text.startswith("<!DOCTYPE html>\n")
    return etree.fromstring(text.encode())


def targets(page, tree):
    """Where a page's links and pictures lead, as files."""
    found = [element.get(name) for element in tree.iter() for name in ("href", "src", "srcset")]
    local = [urldefrag(each)[0] for each in found if each and not each.startswith(("data:", "http"))]
    return {(page.parent / unquote(each)).resolve() for each in local if each}


def test_every_page_is_whole_and_every_link_leads_somewhere(built):
    reached = {(built / "index.html").resolve()}
    for page in pages(built):
        tree = parse(page)
        assert tree.get("lang") == "en"
        assert len(list(tree.iter(f"{HTML}h1"))) == 1
        assert len(list(tree.iter(f"{HTML}main"))) == 1
        ids = [element.get("id") for element in tree.iter() if element.get("id")]
        assert len(ids) == len(set(ids))
        for image in tree.iter(f"{HTML}img"):
            assert image.get("alt") is not None
            assert int(image.get("width")) > 0
            assert int(image.get("height")) > 0
        said = {meta.get("name") or meta.get("property") for meta in tree.iter(f"{HTML}meta")}
        assert {"description", "viewport", "og:title", "og:description"} <= said
        for target in targets(page, tree):
            assert target.is_file(), (page, target)
            reached.add(target)
    everything = {file.resolve() for file in built.rglob("*") if file.is_file()}
    assert everything - reached == {(built / ".gallery.json").resolve()}


def test_nothing_is_asked_of_other_sites_and_nobody_is_named(built):
    for file in built.rglob("*"):
        if file.suffix in {".html", ".css", ".xml", ".json"}:
            text = file.read_text()
            assert not re.search(r"(src|href|url|import)[=( ]+[\"']?(https?:)?//", text), file
            assert "<script" not in text
            assert not any(str(number) in text for number in (*PEOPLE, GUILD)), file


def test_a_bag_shows_its_family(built):
    trees = {page.stem: parse(page) for page in (built / "bags").iterdir()}
    ancestors = {
        code: {
            Path(link.get("href")).stem
            for element in tree.iter(f"{HTML}ul")
            if element.get("class") == "tree"
            for link in element.iter(f"{HTML}a")
        }
        for code, tree in trees.items()
    }
    version = next(iter(trees)).split("-")[0]
    (grandchild,) = (code for code, found in ancestors.items() if len(found) == 4)
    (child,) = (code for code, found in ancestors.items() if len(found) == 2)
    assert ancestors[child] == {f"{version}-7", f"{version}-8"}
    assert ancestors[grandchild] == {f"{version}-0", f"{version}-7", f"{version}-8", child}
    assert f"{child}.html" in (built / "bags" / f"{version}-7.html").read_text()  # among its children


async def test_a_second_build_writes_only_what_changed(config, pool, out):
    before = {file: file.stat().st_mtime_ns for file in out.rglob("*") if file.is_file()}
    again = await build(config, pool, out, "")
    assert (again.written, again.removed) == (0, 0)
    assert before == {file: file.stat().st_mtime_ns for file in out.rglob("*") if file.is_file()}

    one = next(name for name in sorted((out / "bags").iterdir()) if name.stem.endswith("-1"))

    async def unsave(store):
        await store.unsave(one.stem, GUILD, PEOPLE[0])

    await change(config, pool, unsave)
    after = await build(config, pool, out, "")
    assert after.removed == 3  # its page and its two pictures
    assert not one.exists()
    assert one.stem not in (out / "favorites.html").read_text()
    # Its neighbors, the two lists, the feed and the first page; no other bag's.
    assert 0 < after.written <= 6


async def test_thousands_come_in_pages(config, pool, out, monkeypatch):
    monkeypatch.setattr("bot.gallery.build.PER_PAGE", 3)
    await build(config, pool, out, "")
    seen, name = [], "favorites.html"
    while name:
        tree = parse(out / name)
        cards = [each for each in tree.iter(f"{HTML}li") if each.get("class") == "card"]
        seen.append(len(cards))
        name = next((link.get("href") for link in tree.iter(f"{HTML}a") if link.get("rel") == "next"), None)
    assert seen == [3, 3, 1]
    monkeypatch.undo()
    await build(config, pool, out, "")
    assert not (out / "favorites-2.html").exists()


async def test_the_feed_is_atom(config, pool, out):
    """RFC 4287: what a feed and an entry must have."""
    await build(config, pool, out, "https://bags.example/dreams")
    feed = etree.parse(out / "feed.xml").getroot()
    assert feed.tag == f"{ATOM}feed"
    assert feed.find(f"{ATOM}author/{ATOM}name").text
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == 10  # seven favorites, three days
    for element in (feed, *entries):
        for name in ("title", "id", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
        uuid.UUID(element.findtext(f"{ATOM}id").removeprefix("urn:uuid:"))
        assert datetime.fromisoformat(element.findtext(f"{ATOM}updated")).tzinfo
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == 10
    assert feed.findtext(f"{ATOM}updated") == max(entry.findtext(f"{ATOM}updated") for entry in entries)
    links = [link.get("href") for link in feed.iter(f"{ATOM}link")]
    assert all(link.startswith("https://bags.example/dreams/") for link in links)
    first = (out / "index.html").read_text()
    assert '<link rel="canonical" href="https://bags.example/dreams/index.html" />' in first
    assert '<meta property="og:image" content="https://bags.example/dreams/pictures/' in first


def test_a_timelapse_moves_unless_somebody_wants_stillness(built):
    (page,) = (built / "runs").glob("*.html")
    (picture,) = parse(page).iter(f"{HTML}picture")
    source, image = picture
    assert "reduce" in source.get("media")
    with (
        Image.open(page.parent / image.get("src")) as film,
        Image.open(page.parent / source.get("srcset")) as still,
    ):
        assert (film.n_frames, still.n_frames) == (3, 1)
        assert film.size == still.size == (int(image.get("width")), int(image.get("height")))


async def test_a_full_disk_breaks_no_page_and_the_next_build_goes_on(config, pool, tmp_path, monkeypatch):
    out = tmp_path / "gallery"
    put, room = Folder.put, iter(range(15))

    def full(self, name, data):
        if next(room, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        put(self, name, data)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "put", full)
        with pytest.raises(OSError, match="No space"):
            await build(config, pool, out, "")
    assert not (out / "index.html").exists()
    await build(config, pool, out, "")
    for page in pages(out):
        assert all(target.is_file() for target in targets(page, parse(page)))


async def test_what_is_not_the_gallerys_stays(config, pool, out):
    (out / "CNAME").write_text("bags.example\n")
    await build(config, pool, out, "")
    assert (out / "CNAME").read_text() == "bags.example\n"


async def test_a_bag_whose_generator_is_gone_is_left_out(config, pool, tmp_path):
    shutil.rmtree(config.bot.generators)
    report = await build(config, pool, tmp_path / "gallery", "")
    assert report.bags == 0
    assert "Nobody has saved a bag yet" in (tmp_path / "gallery" / "index.html").read_text()


async def test_before_the_first_dream_there_is_a_gallery_too(make_config, pool, tmp_path):
    out = tmp_path / "gallery"
    report = await build(make_config(generator=False), pool, out, "")
    assert (report.bags, report.runs) == (0, 0)
    for page in pages(out):
        assert all(target.is_file() for target in targets(page, parse(page)))
    assert etree.parse(out / "feed.xml").getroot().findtext(f"{ATOM}updated")


def test_a_folder_that_is_no_gallery_is_left_alone(tmp_path):
    (tmp_path / "thesis.odt").write_text("ten years of work")
    with pytest.raises(GalleryError, match="not a gallery"):
        Folder(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.odt"]


@pytest.mark.parametrize("mark", ["", "[]", '{"files": 3, "notes": {}}', "{"])
def test_a_damaged_mark_is_told(tmp_path, mark):
    (tmp_path / ".gallery.json").write_text(mark)
    with pytest.raises(GalleryError, match="damaged"):
        Folder(tmp_path)


def test_bad_input_is_one_line(tmp_path):
    (tmp_path / "config.toml").touch()
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.odt").touch()
    for arguments, says in (
        ([tmp_path / "file"], "is a file"),
        ([tmp_path / "full"], "not a gallery"),
        (["/proc/gallery"], "can't be written"),
        ([tmp_path / "new", "--url", "ftp://bags.example"], "https://"),
    ):
        config = str(tmp_path / "config.toml")
        result = CliRunner().invoke(app, ["--config", config, "gallery", *map(str, arguments)])
        assert result.exit_code == 2
        assert len(result.stderr.splitlines()) == 1
        assert says in result.stderr


@pytest.mark.usefixtures("config")
def test_the_command_says_what_it_did(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["--config", "config.toml", "gallery", "site"])
    assert result.exit_code == 0, result.stderr
    assert "site: 11 bags and 1 run;" in result.stdout
    assert json.loads((tmp_path / "site" / ".gallery.json").read_text())["files"]


def test_a_gallery_of_nothing_says_where_it_looked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["gallery", "site"])
    assert result.exit_code == 0, result.stderr
    assert "data/bot.db" in result.stdout
    assert "data/runs" in result.stdout
