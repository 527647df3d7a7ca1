"""The disk holds what the catalog says, even after fifty kills, and a contact sheet shows it."""

import json
import random
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image


@pytest.fixture
def stocked(site, project):
    """A project with ten bags of one shop."""
    project.shops(site, "rebag")
    project.run("collect")
    return project


def originals(project):
    """The files of the originals."""
    return sorted((project.path / "shop" / "originals").rglob("*.jpg"))


def test_all_is_well(stocked):
    result = stocked.run("verify")

    assert (result.code, result.out) == (0, "10 pictures verified: all is well\n")


def test_a_damaged_and_a_missing_original_are_fetched_again(stocked):
    stocked.run("build")
    before = stocked.manifest()
    originals(stocked)[0].write_bytes(b"damaged")
    originals(stocked)[1].unlink()

    result = stocked.run("verify", "--json")

    assert result.code == 1
    assert result.event("verified") == {"event": "verified", "pictures": 10, "pictures wanted again": 2}
    assert stocked.run("collect", "--json").event("shop")["new"] == 2
    stocked.run("build")
    assert stocked.manifest() == before
    assert stocked.run("verify").code == 0


def test_a_damaged_square_is_made_again(stocked):
    (squares,) = (stocked.path / "shop").glob("squares-*.bin")
    data = bytearray(squares.read_bytes())
    data[60_000] ^= 1
    squares.write_bytes(data)

    assert stocked.run("verify", "--json").event("verified")["squares made again"] == 1
    assert stocked.run("verify").code == 0


def test_stray_files_are_deleted(stocked):
    stray = originals(stocked)[0].with_name("feedbeef.part")
    stray.write_bytes(b"half a picture")

    assert stocked.run("verify", "--json").event("verified")["stray files deleted"] == 1
    assert not stray.exists()


def test_a_file_that_is_no_catalog_is_one_line(stocked):
    (stocked.path / "shop" / "catalog.sqlite").write_bytes(b"no database" * 1000)
    for leftover in (stocked.path / "shop").glob("catalog.sqlite-*"):
        leftover.unlink()

    result = stocked.run("stats")

    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "catalog.sqlite" in result.err


def test_a_sheet_shows_the_pictures(stocked, tmp_path):
    result = stocked.run("sheet", "--out", tmp_path / "sheet.png", "--columns", "5")

    assert result.out.endswith("10 pictures\n")
    assert Image.open(tmp_path / "sheet.png").size == (5 * 130 + 2, 2 * 130 + 2)


def test_an_empty_catalog_has_no_sheet(project):
    assert project.run("sheet").code == 2


@pytest.mark.slow
def test_fifty_kills_at_random_moments_lose_nothing(site, project, tmp_path):
    """Kills come between start-up and the end of a crawl, and during `build`; all files verify after each."""
    site.bags = list(range(1, 301))
    project.shops(site, "rebag", "shopify", more="connections = 2")
    project.run("collect")
    project.run("build")
    whole = project.manifest()
    (tmp_path / "shop").rename(tmp_path / "undisturbed")

    chance = random.Random(7)
    command = [sys.executable, "-m", "scraper", "--config", str(tmp_path / "config.toml")]
    for kill in range(50):
        verb = "build" if kill % 5 == 4 else "collect"
        process = subprocess.Popen([*command, verb], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.55 + 0.35 * chance.random())
        process.send_signal(signal.SIGKILL)
        process.wait()
        verified = project.run("verify", "--json").event("verified")
        assert set(verified) <= {"event", "pictures", "stray files deleted"}
        manifest = tmp_path / "dataset" / "manifest.json"
        assert json.loads(manifest.read_text())["count"] == len(project.images()) == len(project.items())
    assert project.run("collect").code == 0

    project.run("build")

    assert project.manifest() == whole
