"""Collecting from a real server: what is kept, what is requested, and how a killed crawl resumes."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
import time

import pytest
from aiohttp import web

from scraper.catalog import Catalog


def test_three_kinds_of_shop_become_one_dataset(site, project):
    project.shops(site, "rebag", "therealreal", "shopify")

    result = project.run("collect", "--json")

    assert result.code == 0
    assert {event["shop"]: event["new"] for event in result.events} == {
        "rebag": 10,
        "therealreal": 10,
        "shopify": 10,
    }
    built = project.run("build", "--json").event("built")
    assert built["images"] == 30
    assert built["content_hash"] == project.manifest()["content_hash"]
    assert project.manifest() == {
        "version": 1,
        "image_size": 64,
        "count": 30,
        "content_hash": built["content_hash"],
    }
    assert project.images().shape == (30, 64, 64, 3)
    assert project.images().dtype == "uint8"


def test_tags_stand_beside_each_picture(site, project, draw):
    site.bags = [7]
    project.shops(site, "rebag", "therealreal", "shopify")
    project.run("collect")
    project.run("build")

    rebag, realreal, shopify = sorted(
        project.items(), key=lambda item: ["rebag", "therealreal", "shopify"].index(item["shop"])
    )

    assert (rebag["brand"], rebag["title"]) == ("Hermès", "Birkin 7 Togo")
    assert rebag["image"] == f"{site.url}/rebag/img/7_512x512.jpg"
    assert rebag["page"] == f"{site.url}/products/7"
    assert (realreal["brand"], realreal["title"]) == ("Chanel", "Flap Bag 7")
    assert realreal["image"] == f"{site.url}/therealreal/img/107.jpg?width=512"
    assert (shopify["brand"], shopify["category"], shopify["price"]) == ("Telfar", "tote", "1250.00")
    assert shopify["image"] == f"{site.url}/shopify/img/207_512x512.jpg?v=7"
    assert shopify["page"] == f"{site.url}/shopify/products/tote-7"
    assert (rebag["width"], rebag["height"]) == (120, 90)


def test_a_file_of_addresses_names_the_listings(site, project, tmp_path):
    addresses = tmp_path / "addresses.txt"
    addresses.write_text(
        f"# two sales\n{site.url}/therealreal/sales/1\n\n{site.url}/therealreal/sales/2?page=1\n"
    )
    project.configure(f'[scraper.shops.rr]\nkind = "therealreal"\naddresses = "{addresses}"\n')

    assert project.run("collect", "--json").event("shop")["new"] == 10
    assert site.asked["/therealreal/sales/2"]


def test_a_second_collect_adds_only_what_is_new(site, project):
    project.shops(site, "rebag")
    project.run("collect")
    site.asked.clear()
    site.bags.insert(0, 99)

    event = project.run("collect", "--json").event("shop")

    assert (event["new"], event["known"]) == (1, 10)
    assert site.pictures() == ["/rebag/img/99_512x512.jpg"]


def test_exact_duplicates_are_one_picture(site, project, draw):
    for number in (2, 3):
        site.answers[f"/rebag/img/{number}_512x512.jpg"] = lambda _: web.Response(body=draw(1))
    project.shops(site, "rebag")

    event = project.run("collect", "--json").event("shop")
    project.run("build")

    assert (event["new"], event["duplicates"]) == (8, 2)
    assert len(project.items()) == 8


def test_others_may_read_a_dataset_as_the_umask_says(site, project):
    project.shops(site, "rebag")
    project.run("collect")
    before = os.umask(0o027)
    try:
        project.run("build")
    finally:
        os.umask(before)

    assert stat.S_IMODE((project.path / "dataset").stat().st_mode) == 0o750


def test_an_original_is_on_disk_before_its_row_is_recorded(site, project, monkeypatch):
    flushed, recorded = set(), []
    monkeypatch.setattr("scraper.intake.sync", lambda path: flushed.add(path))
    keep = Catalog.keep

    def record(catalog, item, sha256, size, picture, *rest):
        path = catalog.files.path(sha256, picture.suffix)
        recorded.append({path, path.parent} <= flushed)
        return keep(catalog, item, sha256, size, picture, *rest)

    monkeypatch.setattr(Catalog, "keep", record)
    project.shops(site, "rebag")
    project.run("collect")

    assert recorded == [True] * 10


def test_robots_txt_and_its_crawl_delay_are_obeyed(site, project, slept):
    site.bags = [1, 2]
    site.answers["/robots.txt"] = lambda _: web.Response(
        text="User-agent: *\nCrawl-delay: 20.5\nDisallow: /rebag/img/2_\n"
    )
    project.shops(site, "rebag")

    event = project.run("collect", "--json")

    assert event.event("shop")["failed"] == 1
    assert "disallowed by robots.txt" in event.event("problem")["message"]
    assert site.pictures() == ["/rebag/img/1_512x512.jpg"]
    # Two pages and a picture are three requests; what they took themselves is part of the delay.
    assert 20.5 < sum(slept) <= 41


def test_a_listing_that_robots_txt_forbids_is_left_alone(site, project):
    site.answers["/robots.txt"] = lambda _: web.Response(text="User-agent: BagDreams\nDisallow: /rebag/\n")
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert result.code == 2
    assert "robots.txt" in result.event("problem")["message"]
    assert set(site.asked) == {"/robots.txt"}


def test_the_user_agent_says_who_we_are(site, project):
    project.shops(site, "rebag", more='contact = "bags@example.com"')

    project.run("collect")

    assert site.headers["User-Agent"].startswith("BagDreams/")
    assert "bags@example.com" in site.headers["User-Agent"]


def test_killed_again_and_again_it_ends_with_the_same_dataset(site, project, tmp_path):
    site.bags = list(range(1, 41))
    project.shops(site, "rebag", "shopify", more="connections = 2")
    assert project.run("collect").code == 0
    whole = project.run("build", "--json").event("built")["content_hash"]
    (tmp_path / "shop").rename(tmp_path / "undisturbed")
    site.asked.clear()

    command = [sys.executable, "-m", "scraper", "--config", str(tmp_path / "config.toml"), "collect"]
    for pictures in (5, 20, 45):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while len(site.pictures()) < pictures and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL

    assert project.run("collect").code == 0
    assert project.run("build", "--json").event("built")["content_hash"] == whole
    # What was kept is not fetched again: at most what was in flight at a kill, two shops of four workers.
    assert sum(site.asked[path] for path in site.pictures()) <= 80 + 3 * 8
    assert site.asked["/rebag/collections/all-bags"] <= 11 + 3


@pytest.mark.parametrize("kind", ["rebag", "therealreal"])
def test_a_listing_without_products_is_loud(site, project, kind):
    site.bags = []
    project.shops(site, kind)

    result = project.run("collect", "--json")

    assert result.code == 2
    assert "0 products" in result.event("problem")["message"]
    assert "div.p" in result.event("problem")["message"]


def test_changed_markup_is_loud_and_names_the_selector(site, project):
    site.answers["/rebag/collections/all-bags"] = lambda _: web.Response(
        text='<div class="plp-product"><picture>new</picture></div>', content_type="text/html"
    )
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert result.code == 2
    assert "div.plp-product with an img" in result.event("problem")["message"]


def test_a_bot_challenge_stops_the_shop_and_no_other(site, project):
    site.answers["/therealreal/sales/1"] = lambda _: web.Response(
        text="<html><body><h1>Please click and hold the button</h1></body></html>", content_type="text/html"
    )
    project.shops(site, "therealreal", "rebag")

    result = project.run("collect", "--json")

    assert result.code == 2
    problem = result.event("problem")
    assert (problem["shop"], "bot challenge" in problem["message"]) == ("therealreal", True)
    assert {e["shop"]: e["new"] for e in result.events if e["event"] == "shop"} == {
        "therealreal": 0,
        "rebag": 10,
    }
    assert site.asked["/therealreal/sales/1"] == 1


def test_a_403_stops_the_shop_at_once(site, project):
    site.answers["/rebag/collections/all-bags"] = lambda _: web.Response(status=403)
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert "403" in result.event("problem")["message"]
    assert site.asked["/rebag/collections/all-bags"] == 1


def test_an_unreachable_shop_is_one_line_and_the_others_go_on(site, project):
    project.shops(site, "rebag")
    with (project.path / "config.toml").open("a") as config:
        config.write('[scraper.shops.gone]\nkind = "rebag"\nurl = "http://127.0.0.1:1/rebag"\n')

    result = project.run("collect", "--json")

    assert result.code == 2
    problem = result.event("problem")
    assert problem["shop"] == "gone"
    assert "unreachable" in problem["message"]
    assert [e["new"] for e in result.events if e["event"] == "shop" and e["shop"] == "rebag"] == [10]


def test_a_picture_over_the_cap_is_refused(site, project, draw):
    site.answers["/rebag/img/3_512x512.jpg"] = lambda _: web.Response(body=draw(3) + bytes(300_000))
    project.shops(site, "rebag", more="picture_bytes = 200_000")

    result = project.run("collect", "--json")

    assert (result.event("shop")["new"], result.event("shop")["failed"]) == (9, 1)
    assert "1 larger than 200000 bytes" in result.event("problem")["message"]


def test_broken_pictures_are_refused_by_name_and_the_rest_is_kept(site, project, draw):
    site.answers["/rebag/img/1_512x512.jpg"] = lambda _: web.Response(body=draw(1)[:-900])
    site.answers["/rebag/img/2_512x512.jpg"] = lambda _: web.Response(text="<html>Not found</html>")
    site.answers["/rebag/img/3_512x512.jpg"] = lambda _: web.Response(status=404)
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert result.code == 0
    assert (result.event("shop")["new"], result.event("shop")["failed"]) == (7, 3)
    for reason in ("1 truncated", "1 not a picture", "1 answered 404"):
        assert reason in result.event("problem")["message"]


def test_what_failed_can_be_retried_alone(site, project):
    site.answers["/rebag/img/1_512x512.jpg"] = lambda _: web.Response(status=404)
    project.shops(site, "rebag")
    project.run("collect")
    site.answers.clear()
    site.asked.clear()

    assert project.run("collect", "--retry", "--json").event("shop")["new"] == 1
    assert dict(site.asked) == {"/robots.txt": 1, "/rebag/img/1_512x512.jpg": 1}


def test_an_outage_is_retried_within_the_crawl(site, project, draw):
    def once(request: web.Request) -> web.Response:
        return web.Response(status=503) if site.asked[request.path] == 1 else web.Response(body=draw(1))

    site.answers["/rebag/img/1_512x512.jpg"] = once
    project.shops(site, "rebag")

    assert project.run("collect", "--json").event("shop")["new"] == 10


def test_a_shop_without_a_last_page_comes_to_an_end(site, project):
    site.answers["/shopify/collections/bags/products.json"] = lambda _: web.json_response(
        {"products": [{"title": "Tote", "images": [{"src": "/shopify/img/5.jpg"}]}]}
    )
    project.shops(site, "shopify")

    result = project.run("collect", "--json")

    assert (result.code, result.event("shop")["new"]) == (0, 1)
    assert site.asked["/shopify/collections/bags/products.json"] < 10


def test_only_the_shop_that_is_asked_for(site, project):
    project.shops(site, "rebag", "shopify")

    assert [event["shop"] for event in project.run("collect", "--shop", "shopify", "--json").events] == [
        "shopify"
    ]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["collect", "--shop", "banana"], "unknown shop 'banana': the config has rebag"),
        (["build"], "run `collect` or `import` first"),
        (["import", "/no/such/folder"], "no such folder: /no/such/folder"),
        (["forget"], "give exactly one of --url, --shop, --sha"),
    ],
)
def test_bad_input_is_one_line_and_code_2(site, project, words, line):
    project.shops(site, "rebag")

    result = project.run(*words)

    assert result.code == 2
    assert line in result.err
    assert result.err.count("\n") == 1


def test_two_scrapers_do_not_write_at_once(site, project):
    project.shops(site, "rebag")
    project.run("collect")

    with (project.path / "shop" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = project.run("collect")

    assert (result.code, "in use by another scraper" in result.err) == (2, True)
