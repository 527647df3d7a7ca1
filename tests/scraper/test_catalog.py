"""A catalog that an older version wrote works as it did."""

import json
import sqlite3

from aiohttp import web
from PIL import Image

FAILING = "/rebag/img/2_512x512.jpg"


def written_as_grey(project):
    """Writes the color the way older versions did, in every row."""
    with sqlite3.connect(project.path / "shop" / "catalog.sqlite") as db:
        db.execute("UPDATE items SET color = 'grey'")


def test_grey_is_counted_and_built_as_gray(project, tmp_path):
    (tmp_path / "bags").mkdir()
    Image.new("RGB", (100, 60), (130, 130, 132)).save(tmp_path / "bags" / "1.png")
    project.run("import", tmp_path / "bags")
    written_as_grey(project)

    assert json.loads(project.run("stats", "--json").out)["color"] == {"gray": 1}
    project.run("build")
    assert [item["color"] for item in project.items()] == ["gray"]


def test_grey_of_a_picture_that_was_still_to_come_becomes_gray(site, project):
    site.bags = [1, 2]
    site.answers[FAILING] = lambda _: web.Response(status=404)
    project.shops(site, "rebag")
    project.run("collect")
    written_as_grey(project)
    site.answers.clear()

    assert project.run("collect", "--retry", "--json").event("shop")["new"] == 1
    project.run("build")
    assert [item["color"] for item in project.items()] == ["gray", "gray"]
