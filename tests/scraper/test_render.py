"""Pages that need JavaScript, in a real Chromium."""

import asyncio
import os
import shutil

import aiohttp
import pytest
from aiohttp import web

from scraper.proxy import Proxy
from scraper.render import Browser

needs_chromium = pytest.mark.skipif(
    not shutil.which("chromium"), reason="needs Debian's chromium and its driver"
)


@pytest.mark.parametrize("user", [0, 1000])
def test_only_root_goes_without_a_sandbox_and_no_secret_goes_along(monkeypatch, user):
    webdriver = pytest.importorskip("selenium.webdriver")
    started = {}

    class Chrome:
        def __init__(self, options, service):
            started.update(arguments=options.arguments, environment=service.env)

        def set_page_load_timeout(self, seconds):
            pass

    monkeypatch.setattr(webdriver, "Chrome", Chrome)
    monkeypatch.setattr(os, "geteuid", lambda: user)
    for name in ("DISCORD_TOKEN", "BOT_STORE", "AWS_SECRET_ACCESS_KEY", "HOME", "LANG"):
        monkeypatch.setenv(name, "sesame")
    Browser("BagDreams/1", 10, 8118)

    assert ("--no-sandbox" in started["arguments"]) == (user == 0)
    assert {name for name, value in started["environment"].items() if value == "sesame"} == {"HOME", "LANG"}


def scripted(request):
    """A listing whose cards are only there once its script has run; page 2 is empty."""
    card = '<div class="plp-product"><img src="/rebag/img/1.jpg"><p class="product-title">Bag</p></div>'
    cards = card if request.query.get("page", "1") == "1" else ""
    script = f"document.getElementById('list').innerHTML = {cards!r}"
    return web.Response(
        text=f"<html><body><div id='list'></div><script>{script}</script></body></html>",
        content_type="text/html",
    )


@pytest.mark.browser
@needs_chromium
def test_a_page_that_needs_javascript_is_rendered(site, project):
    site.answers["/rebag/collections/all-bags"] = scripted
    project.shops(site, "rebag")
    with (project.path / "config.toml").open("a") as config:
        config.write("render = true\n")

    event = project.run("collect", "--json")

    assert event.event("shop")["new"] == 1, event.out
    assert site.pictures() == ["/rebag/img/1.jpg"]


def test_no_browser_starts_before_robots_txt_was_asked(site, project, monkeypatch):
    def start(*_):
        raise AssertionError("a browser")

    monkeypatch.setattr("scraper.crawl.Browser", start)
    site.answers["/robots.txt"] = lambda _: web.Response(text="User-agent: *\nDisallow: /\n")
    project.shops(site, "rebag")
    with (project.path / "config.toml").open("a") as config:
        config.write("render = true\n")

    assert "disallowed by robots.txt" in project.run("collect", "--json").event("problem")["message"]


@pytest.mark.browser
@needs_chromium
def test_what_a_page_requests_leads_into_no_private_network(site, project, neighbor):
    port = neighbor.port
    markup = "<html><body>"
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
        url = f"{host}:{port}/"
        markup += f'<script src="http://{url}a.js"></script><iframe src="http://{url}"></iframe>'
        markup += f'<script>fetch("http://{url}secret"); new WebSocket("ws://{url}")</script>'
    markup += '<script src="/rebag/own.js"></script></body></html>'
    site.answers["/rebag/collections/all-bags"] = lambda request: web.Response(
        text=markup * (request.query.get("page", "1") == "1"), content_type="text/html"
    )
    card = '<div class="plp-product"><img src="/rebag/img/1.jpg"><p class="product-title">Bag</p></div>'
    site.answers["/rebag/own.js"] = lambda _: web.Response(
        text=f"document.body.innerHTML += {card!r}", content_type="text/javascript"
    )
    project.shops(site, "rebag")
    with (project.path / "config.toml").open("a") as config:
        config.write("render = true\n")

    result = project.run("collect", "--json")

    assert result.event("shop")["new"] == 1, result.out
    assert neighbor.connections() == 0


async def ask(port, request):
    """The first line of the proxy's answer to a request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    line = await reader.readline()
    writer.close()
    return line


async def test_the_proxy_leads_only_where_the_guard_does(neighbor):
    port = neighbor.port
    async with Proxy(frozenset({("127.0.0.1", port + 1)})) as proxy:
        for request in (
            f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n",
            f"CONNECT [::1]:{port} HTTP/1.1\r\n\r\n",
            f"GET http://localhost:{port}/ HTTP/1.1\r\n\r\n",
            "GET http://169.254.169.254/latest/ HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "CONNECT nowhere.invalid:443 HTTP/1.1\r\n\r\n",
            "\xff\xfe\r\n\r\n",
        ):
            assert b" 403 " in await ask(proxy.port, request.encode("latin-1")), request
    assert neighbor.connections() == 0


async def test_the_proxy_passes_on_a_request_to_a_host_of_the_config(site):
    async with (
        Proxy(frozenset({("127.0.0.1", site.port)})) as proxy,
        aiohttp.ClientSession() as session,
        session.get(f"{site.url}/rebag/img/1.jpg?a=%2F", proxy=f"http://127.0.0.1:{proxy.port}") as answer,
    ):
        assert (answer.status, (await answer.read())[:2]) == (200, b"\xff\xd8")
    assert not [name for name in site.headers if name.lower().startswith("proxy")]


@pytest.mark.browser
@needs_chromium
def test_a_rendered_page_obeys_robots_txt_too(site, project):
    site.answers["/robots.txt"] = lambda _: web.Response(text="User-agent: *\nDisallow: /rebag/collections\n")
    project.shops(site, "rebag")
    with (project.path / "config.toml").open("a") as config:
        config.write("render = true\n")

    assert "robots.txt" in project.run("collect", "--json").event("problem")["message"]
    assert set(site.asked) == {"/robots.txt"}


@pytest.mark.browser
@needs_chromium
def test_a_rendered_page_that_leads_to_another_host_is_not_read(site, project):
    site.answers["/rebag/collections/all-bags"] = lambda _: web.Response(
        status=302, headers={"Location": f"http://localhost:{site.port}/rebag/elsewhere"}
    )
    project.shops(site, "rebag")
    with (project.path / "config.toml").open("a") as config:
        config.write("render = true\n")

    result = project.run("collect", "--json")

    assert "leads to localhost" in result.event("problem")["message"]
    assert site.pictures() == []
