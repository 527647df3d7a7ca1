"""A catalog that an older version wrote works as it did."""

import json
import sqlite3
from pathlib import Path

import pytest
from aiohttp import web

SCHEMA_3 = Path(__file__).with_name("catalog_version_3.sql").read_text()
FAILING = "/rebag/img/2_512x512.jpg"


def written_by_version_3(project):
    """Writes the catalog as version 3 did: its schema, and measured colors among the tags."""
    new = project.path / "shop" / "catalog.sqlite"
    old = project.path / "old.sqlite"
    with sqlite3.connect(old) as db:
        db.executescript(SCHEMA_3)
        db.execute("ATTACH ? AS new", (str(new),))
        for table in ("crawls", "pages", "pictures", "items", "forgotten"):
            columns = ", ".join(row[1] for row in db.execute(f"PRAGMA table_info({table})"))
            kept = columns.replace(" color,", " COALESCE(NULLIF(color, ''), measured),")
            db.execute(f"INSERT INTO {table} ({columns}) SELECT {kept} FROM new.{table}")
    for leftover in new.parent.glob("catalog.sqlite*"):
        leftover.unlink()
    old.rename(new)


def colors(project):
    """The name of each file with its color, and whether that was measured."""
    project.run("build")
    return {
        item["image"].rpartition("/")[2]: (item["color"], item["color_measured"]) for item in project.items()
    }


@pytest.fixture
def bags(project, tmp_path, draw):
    """A catalog of version 3: of five red bags the first has no color, then field, title, both, and gold."""
    (tmp_path / "bags").mkdir()
    table = "file,title,color\n2.png,Tote,Red\n3.png,Red tote,\n4.png,Blue tote,Red\n5.png,Tote,Gold\n"
    (tmp_path / "bags" / "tags.csv").write_text(table)
    for number in range(1, 6):
        # Equal but for their size, so that none is a duplicate.
        (tmp_path / "bags" / f"{number}.png").write_bytes(draw(5, "PNG", (120 + number, 90)))
    project.configure("twins = true\n")
    project.run("import", tmp_path / "bags")
    written_by_version_3(project)
    return tmp_path / "bags"


def test_only_what_a_title_says_is_surely_a_tag(project, bags):
    before = json.loads(project.run("stats", "--json").out)

    found = colors(project)

    measured = found["1.png"][0]
    assert found == {
        "1.png": (measured, True),
        "2.png": ("red", True),  # it could have been measured
        "3.png": ("red", False),
        "4.png": ("red", False),
        "5.png": ("gold", False),
    }
    assert before["measured"] == 2
    assert sum(before["color"].values()) == 5
    assert before["color"]["red"] >= 3


def test_another_import_tells_what_is_a_tag(project, bags):
    project.run("import", bags)

    found = colors(project)

    assert found["2.png"] == ("red", False)
    assert found["1.png"][1]
    assert json.loads(project.run("stats", "--json").out)["measured"] == 1


def test_the_next_crawl_reads_pages_as_if_they_were_new(site, project):
    site.bags = [1, 2]
    project.shops(site, "rebag")
    project.run("collect")
    with sqlite3.connect(project.path / "shop" / "catalog.sqlite") as db:
        db.execute("UPDATE pages SET etag = 'x'")
    written_by_version_3(project)

    project.run("collect")

    assert "If-None-Match" not in site.headers
    assert json.loads(project.run("stats", "--json").out)["measured"] == 2


def test_grey_is_counted_and_built_as_gray(project, bags):
    with sqlite3.connect(project.path / "shop" / "catalog.sqlite") as db:
        db.execute("UPDATE items SET color = 'grey'")

    assert json.loads(project.run("stats", "--json").out)["color"] == {"gray": 5}
    assert {color for color, _ in colors(project).values()} == {"gray"}


def test_grey_of_a_picture_that_was_still_to_come_becomes_gray(site, project):
    site.bags = [1, 2]
    site.answers[FAILING] = lambda _: web.Response(status=404)
    project.shops(site, "rebag")
    project.run("collect")
    written_by_version_3(project)
    with sqlite3.connect(project.path / "shop" / "catalog.sqlite") as db:
        db.execute("UPDATE items SET color = 'grey'")
    site.answers.clear()

    assert project.run("collect", "--retry", "--json").event("shop")["new"] == 1
    assert {color for color, _ in colors(project).values()} == {"gray"}
