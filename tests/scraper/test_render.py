"""Pages that need JavaScript, in a real Chromium."""

import os
import shutil

import pytest
from aiohttp import web

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
    Browser("BagDreams/1", 10)

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
