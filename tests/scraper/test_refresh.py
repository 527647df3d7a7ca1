"""Known pictures are requested again after a while: a changed one replaces the old one."""

import hashlib
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from aiohttp import web

PICTURE = "/rebag/img/3_512x512.jpg"


@pytest.fixture
def stocked(site, project):
    """A project with ten bags, all of which the next crawl requests again."""
    project.shops(site, "rebag", more="refresh_days = 0")
    project.run("collect")
    project.run("build")
    site.asked.clear()
    return project


def originals(project):
    """The checksums of the originals on disk."""
    return {path.stem for path in (project.path / "shop" / "originals").rglob("*.jpg")}


def sha(data):
    """A file's checksum."""
    return hashlib.sha256(data).hexdigest()


def collected(project):
    """The event of the shop after a successful crawl."""
    result = project.run("collect", "--json")
    assert result.code == 0, result.out
    return result.event("shop")


@pytest.mark.parametrize(
    ("validator", "condition", "value"),
    [
        ("ETag", "If-None-Match", '"v1"'),
        ("Last-Modified", "If-Modified-Since", "Tue, 06 Jan 2026 10:00:00 GMT"),
    ],
)
def test_304_an_unchanged_picture_costs_no_body(site, project, draw, validator, condition, value):
    answers = []

    def answer(request):
        answers.append(304 if request.headers.get(condition) == value else 200)
        return (
            web.Response(status=304)
            if answers[-1] == 304
            else web.Response(body=draw(3), headers={validator: value})
        )

    site.answers[PICTURE] = answer
    project.shops(site, "rebag", more="refresh_days = 0")

    assert collected(project)["new"] == 10
    for _ in range(2):
        event = collected(project)
        assert (event["new"], event["known"], event["changed"], event["failed"]) == (0, 10, 0, 0)

    assert answers == [200, 304, 304]


def test_a_changed_picture_takes_the_place_of_the_old(site, stocked, draw):
    site.answers[PICTURE] = lambda _: web.Response(body=draw(77))

    event = collected(stocked)
    stocked.run("build")

    assert (event["new"], event["changed"]) == (0, 1)
    checksums = {item["sha256"] for item in stocked.items()}
    assert len(checksums) == 10
    assert checksums == originals(stocked)
    assert sha(draw(77)) in checksums
    assert sha(draw(3)) not in checksums
    assert stocked.run("verify").code == 0


def test_a_changed_picture_that_another_address_shows_stays(site, project, draw):
    site.answers[PICTURE] = lambda _: web.Response(body=draw(1))
    project.shops(site, "rebag", more="refresh_days = 0")
    assert collected(project)["duplicates"] == 1
    site.answers.clear()

    assert collected(project)["changed"] == 1
    assert {sha(draw(1)), sha(draw(3))} <= originals(project)
    assert project.run("verify").code == 0


def test_pictures_that_change_places_are_both_kept(site, stocked, draw):
    for one, other in ((3, 4), (4, 3), (5, 6), (6, 5)):
        body = draw(other)
        site.answers[f"/rebag/img/{one}_512x512.jpg"] = lambda _, body=body: web.Response(body=body)

    assert collected(stocked)["changed"] == 4
    assert originals(stocked) == {sha(draw(number)) for number in site.bags}
    assert stocked.run("verify").code == 0


@pytest.mark.parametrize("status", [404, 410, 500])
def test_a_picture_that_its_shop_has_no_more_or_not_now_is_kept(site, stocked, status):
    before = stocked.manifest()
    site.answers[PICTURE] = lambda _: web.Response(status=status)

    result = stocked.run("collect", "--json")
    stocked.run("build")

    assert f"1 answered {status}" in result.event("problem")["message"]
    assert (result.code, stocked.manifest()) == (0, before)
    site.answers.clear()
    assert collected(stocked)["failed"] == 0


def test_a_page_in_the_place_of_a_picture_that_we_have_changes_nothing(site, stocked):
    before = stocked.manifest()
    site.answers[PICTURE] = lambda _: web.Response(text="<html>Sorry</html>", content_type="image/jpeg")

    assert collected_with_problem(stocked) == "1 pictures failed: 1 not a picture"
    stocked.run("build")
    assert stocked.manifest() == before


def collected_with_problem(project):
    """The problem that a crawl reports."""
    return project.run("collect", "--json").event("problem")["message"]


@pytest.mark.parametrize("status", [200, 304])
def test_a_picture_that_now_opts_out_of_ai_leaves(site, stocked, draw, status):
    site.answers[PICTURE] = lambda _: web.Response(
        status=status, body=draw(3) if status == 200 else None, headers={"X-Robots-Tag": "noai"}
    )

    assert collected_with_problem(stocked) == "1 pictures failed: 1 opted out (noai)"
    stocked.run("build")

    assert len(stocked.items()) == 9
    assert sha(draw(3)) not in originals(stocked)
    assert stocked.run("verify").code == 0


def test_a_change_to_a_picture_that_was_taken_down_does_not_bring_it_back(site, stocked, draw):
    stocked.run("forget", "--sha", sha(draw(5)))
    site.answers[PICTURE] = lambda _: web.Response(body=draw(5))

    collected(stocked)
    stocked.run("build")

    assert len(stocked.items()) == 8
    assert originals(stocked).isdisjoint({sha(draw(3)), sha(draw(5))})


def long_ago(project, days, numbers):
    """Makes the last request of some pictures this many days older."""
    marks = ", ".join(map(str, numbers))
    with sqlite3.connect(project.path / "shop" / "catalog.sqlite") as db:
        db.execute(f"UPDATE items SET asked = asked - {days * 86_400} WHERE id IN ({marks})")


def test_only_what_was_asked_for_long_ago_and_is_still_listed_is_asked_for_again(site, project):
    project.shops(site, "rebag")
    collected(project)
    long_ago(project, 61, [2, 4, 6])
    long_ago(project, 29, [1, 3])
    site.bags.remove(4)
    site.asked.clear()

    collected(project)

    assert sorted(site.pictures()) == ["/rebag/img/2_512x512.jpg", "/rebag/img/6_512x512.jpg"]
    site.asked.clear()
    collected(project)
    assert site.pictures() == []


def test_what_came_in_one_night_is_not_asked_for_again_in_one_night(site, project):
    project.shops(site, "rebag")
    collected(project)
    nights = []

    for _ in range(3):
        long_ago(project, 20.5, range(1, 11))
        site.asked.clear()
        collected(project)
        nights.append(len(site.pictures()))

    assert nights[0] == 0
    assert 0 < nights[1] < 10
    assert nights[1] + nights[2] == 10


def test_killed_while_pictures_change_it_ends_with_all_of_them(site, project, draw, tmp_path):
    site.bags = list(range(1, 41))
    project.shops(site, "rebag", more="refresh_days = 0\nconnections = 2")
    collected(project)
    for number in site.bags:
        body = draw(number + 100)
        site.answers[f"/rebag/img/{number}_512x512.jpg"] = lambda _, body=body: web.Response(body=body)
    site.asked.clear()

    command = [sys.executable, "-m", "scraper", "--config", str(tmp_path / "config.toml"), "collect"]
    for pictures in (5, 20):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while len(site.pictures()) < pictures and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        verified = project.run("verify", "--json").event("verified")
        assert set(verified) <= {"event", "pictures", "stray files deleted"}
    event = collected(project)
    project.run("build")

    assert event["new"] == 0
    assert {item["sha256"] for item in project.items()} == {sha(draw(n + 100)) for n in site.bags}
    assert project.run("verify").code == 0
    # What was asked for before a kill is not asked for again, but for what was in flight.
    assert sum(site.asked[path] for path in site.pictures()) <= 40 + 2 * 4
