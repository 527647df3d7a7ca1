"""Addresses are sent as they are written, and cookies come back to the shop that set them."""

import subprocess
import sys

import pytest
from aiohttp import web

from scraper.fetch import FetchError, parse

LISTING = "/rebag/collections/all-bags"

WRITTEN = {
    "/i/a%3Ab.jpg?sig=x%2Fy%3Az%40w%2B1%3D": None,
    "/i/a:b.jpg?sig=x/y:z@w+1=": None,
    "/i/%E3%83%84%2f%2F.jpg?a=%7E~%41A&&b&c==": None,
    "/i/a,b;c=d!$&'()*+@.jpg?X-Amz-Signature=%2b+%20;/?x": None,
    "/i/{a}|b.jpg?{q}|^`": "/i/%7Ba%7D|b.jpg?{q}|^`",
    "/i/a b.jpg?x=a b": "/i/a%20b.jpg?x=a%20b",
    '/i/ü.jpg?ü="<>': "/i/%C3%BC.jpg?%C3%BC=%22%3C%3E",
    "/i/100%.jpg?50%": None,
    "/i/a.jpg#top": "/i/a.jpg",
    "/i/../j/./%2E%2e/a.jpg": "/a.jpg",
    "/i/..a/.b/a...jpg": None,
    "?page=1": "/?page=1",
    "": "/",
}


@pytest.mark.parametrize(("written", "sent"), WRITTEN.items())
def test_what_is_sent_of_an_address(written, sent):
    assert parse(f"http://Bags.example{written}").raw_path_qs == (written if sent is None else sent)


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("http://BAGS.example:80/a", "bags.example", 80),
        ("https://täschchen.example/", "xn--tschchen-0za.example", 443),
        ("http://[::1]:8080/a%2F", "::1", 8080),
    ],
)
def test_where_an_address_leads(written, host, port):
    assert (parse(written).raw_host, parse(written).port) == (host, port)


@pytest.mark.parametrize(
    "written", ["http://[bad", "http://a:99999/", "http://\ud83d.example/", "http://a/\ud83d"]
)
def test_what_is_no_address(written):
    with pytest.raises(FetchError, match="not a web address"):
        parse(written)


def listing(image):
    """A listing of one bag."""
    return lambda request: web.Response(
        text=f'<div class="plp-product"><img src="{image}"><p class="product-title">Bag</p></div>'
        * (request.query.get("page", "1") == "1"),
        content_type="text/html",
    )


@pytest.mark.parametrize("redirected", [False, True])
def test_a_signed_address_arrives_byte_for_byte(site, project, draw, redirected):
    signed = "/rebag/img/a%3Ab.jpg?sig=x%2Fy%3Az%40w%2B1%3D"
    arrived = []

    def answer(request):
        arrived.append(request.raw_path)
        return web.Response(body=draw(1))

    site.answers["/rebag/img/a:b.jpg"] = answer
    site.answers["/rebag/hop.jpg"] = lambda _: web.Response(status=302, headers={"Location": signed})
    site.answers[LISTING] = listing("/rebag/hop.jpg" if redirected else signed)
    project.shops(site, "rebag")

    assert project.run("collect", "--json").event("shop")["new"] == 1
    assert arrived == [signed]


def with_a_cookie(answer):
    """Redirects to the same address until a cookie comes back."""

    def asked(request):
        if "visitor" in request.cookies:
            return answer(request)
        response = web.Response(status=302, headers={"Location": str(request.rel_url)})
        response.set_cookie("visitor", "1")
        return response

    return asked


def test_a_shop_that_redirects_once_to_set_a_cookie_is_read(site, project):
    site.answers[LISTING] = with_a_cookie(listing("/rebag/img/1.jpg"))
    project.shops(site, "rebag")

    assert project.run("collect", "--json").event("shop")["new"] == 1
    assert site.asked[LISTING] == 3  # the second page sends the cookie at once


def test_a_shop_s_cookies_go_to_no_other_shop_and_into_no_other_crawl(site, project):
    cookies = {"a": [], "b": []}

    def remember(name):
        def answer(request):
            cookies[name].append(dict(request.cookies))
            response = listing(f"/rebag/img/{ord(name)}.jpg")(request)
            response.set_cookie("visitor", name)
            return response

        return answer

    for name in cookies:
        site.answers[f"/rebag/{name}"] = remember(name)
    project.configure(
        "".join(f'[scraper.shops.{n}]\nkind = "rebag"\nurl = "{site.url}/rebag/{n}"\n' for n in cookies)
    )
    project.run("collect")
    project.run("collect")

    assert cookies == {name: [{}, {"visitor": name}] * 2 for name in cookies}


def test_a_cookie_that_is_none_is_no_line_of_ours(site, project):
    site.answers[LISTING] = lambda request: web.Response(
        body=listing("/rebag/img/1.jpg")(request).body,
        headers=[("Set-Cookie", "a b=c"), ("Set-Cookie", '{"a":1}=x; expires=never'), ("Set-Cookie", "=;;")],
    )
    project.shops(site, "rebag")
    command = [sys.executable, "-m", "scraper", "--config", str(project.path / "config.toml"), "collect"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert (done.returncode, done.stderr) == (0, "")
