"""Faults of networks and shops, from a real server: the crawl loses one picture or page, and goes on."""

import asyncio
import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

LISTING = "/rebag/collections/all-bags"
PICTURE = "/rebag/img/1_512x512.jpg"


async def hang_before_headers(_):
    await asyncio.sleep(30)


async def hang_in_the_body(request):
    response = web.StreamResponse(headers={"Content-Length": "5000"})
    await response.prepare(request)
    await response.write(b"\xff\xd8\xff")
    await asyncio.sleep(30)


async def slow_drip(request):
    response = web.StreamResponse(headers={"Content-Length": "5000"})
    await response.prepare(request)
    for _ in range(600):
        await response.write(b"x")
        await asyncio.sleep(0.05)
    return response


async def reset(request):
    request.transport.abort()
    return web.Response()


async def reset_in_the_body(request):
    response = web.StreamResponse(headers={"Content-Length": "5000"})
    await response.prepare(request)
    await response.write(b"x" * 100)
    request.transport.abort()
    return response


async def wrong_length(request):
    response = web.StreamResponse(headers={"Content-Length": "5000"})
    await response.prepare(request)
    await response.write(b"x" * 100)
    request.transport.close()
    return response


BOMB = gzip.compress(bytes(30_000_000), 1)


def gzip_bomb(_):
    return web.Response(body=BOMB, headers={"Content-Encoding": "gzip"}, content_type="image/jpeg")


async def endless_body(request):
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(bytes(100_000))


def ten_redirects(request):
    hop = int(request.query.get("hop", "0"))
    return web.Response(status=302, headers={"Location": f"{request.path}?hop={hop + 1}"})


HANGS = [hang_before_headers, hang_in_the_body, slow_drip]
FAULTS = [
    (reset, "connection lost"),
    (reset_in_the_body, "connection lost"),
    (wrong_length, "connection lost"),
    (gzip_bomb, "larger than 1000000 bytes"),
    (endless_body, "larger than 1000000 bytes"),
    (ten_redirects, "too many redirects"),
    (lambda _: web.Response(status=301, headers={"Location": PICTURE}), "too many redirects"),
    (lambda _: web.Response(status=500), "answered 500"),
    (lambda _: web.Response(status=429), "answered 429"),
    (lambda _: web.Response(status=410), "answered 410"),
    (lambda _: web.Response(status=301, headers={"Location": "file:///etc/passwd"}), "not a web address"),
    (
        lambda _: web.Response(status=301, headers={"Location": "http://10.0.0.1/"}),
        "leads into a private network",
    ),
    (lambda _: web.Response(text="<html>Sorry</html>", content_type="image/jpeg"), "not a picture"),
    (lambda _: web.Response(body=b"\x1f\x8b junk", headers={"Content-Encoding": "gzip"}), "connection lost"),
]
NAMES = [
    "reset",
    "reset in the body",
    "wrong length",
    "gzip bomb",
    "endless body",
    "ten redirects",
    "redirect loop",
    "500 storm",
    "429 without Retry-After",
    "gone",
    "redirect to file",
    "redirect to a private address",
    "HTML for a jpg",
    "broken gzip",
]


def test_pictures_that_hang_cost_only_themselves(site, project):
    for number, fault in enumerate(HANGS, 1):
        site.answers[f"/rebag/img/{number}_512x512.jpg"] = fault
    project.shops(site, "rebag", more="timeout = 0.5\nconnections = 4")

    result = project.run("collect", "--json")

    assert result.code == 0
    assert (result.event("shop")["new"], result.event("shop")["failed"]) == (7, 3)
    assert "3 timed out" in result.event("problem")["message"]


def test_listings_that_hang_are_one_line_each_and_work_the_next_time(site, project):
    tables = ""
    for fault in HANGS:
        site.answers[f"/rebag/{fault.__name__}"] = fault
        tables += (
            f'[scraper.shops.{fault.__name__}]\nkind = "rebag"\nurl = "{site.url}/rebag/{fault.__name__}"\n'
        )
    project.configure(f"timeout = 0.2\nconnections = 4\n{tables}")

    result = project.run("collect", "--json")

    assert result.code == 2
    problems = {event["shop"]: event["message"] for event in result.events if event["event"] == "problem"}
    assert problems.keys() == {fault.__name__ for fault in HANGS}
    assert all("timed out" in message for message in problems.values())
    site.answers.clear()
    project.configure(tables)
    again = project.run("collect", "--json")
    assert [event["new"] + event["duplicates"] for event in again.events] == [10, 10, 10]


@pytest.mark.parametrize(("fault", "reason"), FAULTS, ids=NAMES)
def test_a_picture_that_fails_costs_only_itself(site, project, fault, reason):
    site.answers[PICTURE] = fault
    project.shops(site, "rebag", more="picture_bytes = 1_000_000")

    result = project.run("collect", "--json")

    assert result.code == 0
    assert (result.event("shop")["new"], result.event("shop")["failed"]) == (9, 1)
    assert f"1 {reason}" in result.event("problem")["message"]


@pytest.mark.parametrize(("fault", "reason"), FAULTS[:7], ids=NAMES[:7])
def test_a_listing_that_fails_is_one_line_and_works_the_next_time(site, project, fault, reason):
    site.answers[LISTING] = fault
    project.shops(site, "rebag", more="page_bytes = 1_000_000")

    result = project.run("collect", "--json")

    assert result.code == 2
    assert reason in result.event("problem")["message"] or "too many redirects" in reason
    site.answers.clear()
    assert project.run("collect", "--json").event("shop")["new"] == 10


def test_a_redirect_to_another_host_of_the_shop_is_followed(site, project, draw):
    elsewhere = f"http://localhost:{site.port}/rebag"
    site.answers[PICTURE] = lambda _: web.Response(
        status=301, headers={"Location": f"{elsewhere}/img/77.jpg"}
    )
    project.configure(
        f'[scraper.shops.rebag]\nkind = "rebag"\nurl = ["{site.url}{LISTING}", "{elsewhere}/x?page=3"]\n'
    )

    assert project.run("collect", "--json").event("shop")["failed"] == 0
    assert site.asked["/rebag/img/77.jpg"] == 1


def seconds():
    """Retry-After as a number of seconds."""
    return "30"


def date():
    """Retry-After as a date."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)


@pytest.mark.parametrize("form", [seconds, date])
def test_429_with_retry_after_is_waited_for(site, project, draw, slept, form):
    waits = []

    def answer(request):
        waits.append(sum(slept))
        if len(waits) == 1:
            return web.Response(status=429, headers={"Retry-After": form()})
        return web.Response(body=draw(1))

    site.answers[PICTURE] = answer
    project.shops(site, "rebag")

    assert project.run("collect", "--json").event("shop")["new"] == 10
    assert 10 < waits[1] - waits[0] <= 31


def test_a_shop_that_wants_us_back_tomorrow_is_left(site, project):
    site.answers[LISTING] = lambda _: web.Response(status=503, headers={"Retry-After": "86400"})
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert "come back in 86400 s" in result.event("problem")["message"]
    assert site.asked[LISTING] == 1


def test_an_outage_of_all_pictures_leaves_the_shop(site, project):
    site.bags = list(range(1, 100))
    for number in site.bags:
        site.answers[f"/rebag/img/{number}_512x512.jpg"] = lambda _: web.Response(status=500)
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert result.code == 2
    assert len(site.pictures()) < 40


def test_infinite_pagination_with_ever_new_bags_is_loud(site, project):
    site.bags = list(range(1, 200))
    project.shops(site, "rebag", more="pages = 3")

    result = project.run("collect", "--json")

    assert result.code == 2
    assert "more than 3 pages" in result.event("problem")["message"]
    assert site.asked[LISTING] == 3


def html(body, charset="utf-8"):
    """A listing that is the same on page 1 and empty after it."""
    return lambda request: web.Response(
        body=body.encode("utf-8") if request.query.get("page", "1") == "1" else b"",
        headers={"Content-Type": f"text/html; charset={charset}"},
    )


def card(image):
    """A card around some markup for a picture."""
    return f'<div class="a plp-product b">{image}<p class="product-title">Sac à main</p></div>'


@pytest.mark.parametrize("charset", ["utf-8", "klingon-8", '"'])
def test_a_bad_charset_is_no_reason_to_stop(site, project, charset):
    site.answers[LISTING] = html(f'<meta charset="utf-8">{card("<img src=/rebag/img/1.jpg>")}', charset)
    project.shops(site, "rebag")
    project.run("collect")
    project.run("build")

    assert [item["title"] for item in project.items()] == ["Sac à main"]


def test_a_page_in_another_charset_than_its_header_says_is_read_whole(site, project):
    page = f'<meta charset="iso-8859-1">{card("<img src=/rebag/img/1.jpg>")}'.encode("latin-1")
    site.answers[LISTING] = lambda request: web.Response(
        body=page if request.query.get("page", "1") == "1" else b"",
        headers={"Content-Type": "text/html; charset=utf-8"},
    )
    project.shops(site, "rebag")
    project.run("collect")
    project.run("build")

    assert [item["title"] for item in project.items()] == ["Sac à main"]


@pytest.mark.parametrize(
    "image",
    [
        '<img src="/rebag/img/1.jpg">',
        '<img src="../img/1.jpg">',
        '<img src=" {url}/rebag/img/1.jpg ">',
        '<img src="//127.0.0.1:{port}/rebag/img/1.jpg">',
        '<img src="data:image/gif;base64,R0" data-src="/rebag/img/1.jpg">',
        '<img srcset="/rebag/img/9.jpg 200w, /rebag/img/1.jpg 800w, /rebag/img/8.jpg 400w">',
        '<img src="" data-srcset="/rebag/img/9.jpg 1x, /rebag/img/1.jpg 2x">',
        '<img src="/rebag/img/%31.jpg#top">',
        '<img src="/rebag/x/../img/1.jpg">',
    ],
    ids=[
        "absolute path",
        "relative",
        "whole",
        "protocol-relative",
        "data-src",
        "srcset",
        "data-srcset",
        "quoted",
        "dots",
    ],
)
def test_addresses_of_every_form_are_understood(site, project, image):
    site.answers[LISTING] = html(card(image.format(url=site.url, port=site.port)))
    project.shops(site, "rebag")

    assert project.run("collect", "--json").event("shop")["new"] == 1
    assert site.pictures() == ["/rebag/img/1.jpg"]


@pytest.mark.parametrize("header", ["noai", "googlebot: noimageai, nofollow"])
def test_a_picture_that_opts_out_of_ai_is_not_kept(site, project, draw, header):
    site.answers[PICTURE] = lambda _: web.Response(body=draw(1), headers={"X-Robots-Tag": header})
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert (result.event("shop")["new"], result.event("shop")["failed"]) == (9, 1)
    assert "opted out (no" in result.event("problem")["message"]


def test_a_page_that_opts_out_of_ai_stops_the_shop(site, project):
    site.answers[LISTING] = html(
        '<meta name="robots" content="index, NoAI">' + card("<img src=/rebag/img/1.jpg>")
    )
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert "asks not to be used for AI (noai)" in result.event("problem")["message"]
    assert site.pictures() == []


def test_an_unchanged_shop_costs_almost_nothing(site, project):
    def answer(request):
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304)
        page = int(request.query.get("page", "1"))
        cards = "".join(card(f"<img src=/rebag/img/{n}.jpg>") for n in range(page * 3, page * 3 + 3))
        return web.Response(
            text=cards if page < 4 else "", content_type="text/html", headers={"ETag": '"v1"'}
        )

    site.answers[LISTING] = answer
    project.shops(site, "rebag")
    assert project.run("collect", "--json").event("shop")["new"] == 9
    site.asked.clear()

    event = project.run("collect", "--json").event("shop")

    assert (event["new"], event["known"]) == (0, 9)
    assert dict(site.asked) == {"/robots.txt": 1, LISTING: 4}


def test_robots_txt_that_cannot_be_had_forbids_everything(site, project):
    site.answers["/robots.txt"] = lambda _: web.Response(status=500)
    project.shops(site, "rebag")

    result = project.run("collect", "--json")

    assert result.code == 2
    assert set(site.asked) == {"/robots.txt"}
