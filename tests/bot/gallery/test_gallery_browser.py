"""The gallery in a real browser, on a desktop and on a phone."""

from collections import deque
from urllib.parse import urljoin, urlsplit

import pytest
from selenium.webdriver.common.by import By

pytestmark = pytest.mark.browser


def resize(browser, width, height):
    browser.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
    )


LOADED = """
const image = arguments[0];
image.scrollIntoView({block: 'center'});
return image.complete && image.naturalWidth > 0;
"""


def looks_right(browser):
    """Every picture comes when it is scrolled to, and nothing is wider than the screen."""
    for image in browser.driver.find_elements(By.TAG_NAME, "img"):
        browser.until(lambda image=image: browser.driver.execute_script(LOADED, image), "no picture")
        assert image.get_property("alt") or image.find_element(By.XPATH, "..").text
    root = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    wide, screen = browser.driver.execute_script(root)
    assert wide <= screen


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_everything_can_be_reached_by_clicking_and_looks_right(built, browser, width, height):
    resize(browser, width, height)
    start = (built / "index.html").as_uri()
    seen, ahead = {start}, deque([start])
    kinds = {}
    while ahead:
        address = ahead.popleft()
        if address.endswith(".xml"):
            continue
        # Of pages that are alike, three are enough.
        kind = urlsplit(address).path.rsplit("/", 2)[1] if "/bags/" in address else address
        kinds[kind] = kinds.get(kind, 0) + 1
        if kinds[kind] > 3:
            continue
        browser.driver.get(address)
        looks_right(browser)
        for link in browser.driver.find_elements(By.CSS_SELECTOR, "a[href]"):
            to = urljoin(address, link.get_property("href")).split("#")[0]
            if to not in seen:
                seen.add(to)
                ahead.append(to)
    assert sum("/bags/" in address for address in seen) == 11
    assert any("/runs/" in address for address in seen)
    assert browser.driver.get_log("browser") == []


def test_from_the_first_page_to_an_ancestor_by_clicks(built, browser):
    resize(browser, 390, 844)
    browser.driver.get((built / "index.html").as_uri())
    browser.click("nav a[href='favorites.html']")
    browser.until(lambda: browser.one("h1").text == "Favorites")
    child = next(
        page.stem for page in (built / "bags").iterdir() if page.read_text().count('class="node"') == 5
    )
    browser.click(f".card a[href='bags/{child}.html']")
    browser.until(lambda: browser.one("h1").text == child)
    ancestor = browser.all(".tree a.node")[-1].text.strip()
    browser.click(f".tree a.node[href='{ancestor}.html']")
    browser.until(lambda: browser.one("h1").text == ancestor)
    browser.click(".name")
    browser.until(lambda: browser.one("h1").text == "Handbags that do not exist")
    assert browser.driver.get_log("browser") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_in_both_lights(built, browser, scheme):
    """Contrast of text at least 4.5 : 1 (WCAG 2.2, 1.4.3)."""
    browser.driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    browser.driver.get((built / "favorites.html").as_uri())
    pairs = [("body", "body"), ("a", "body"), (".lead", "body"), (".top li a", "body"), ("footer p", "body")]
    pairs.append((".card .code", ".card a"))
    for text, ground in pairs:
        ink, paper = (
            browser.driver.execute_script(PAINTED, ground_or_text, name)
            for ground_or_text, name in ((text, "color"), (ground, "backgroundColor"))
        )
        light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ink, paper)


PAINTED = """
const canvas = document.createElement('canvas');
canvas.width = canvas.height = 1;
const pen = canvas.getContext('2d');
pen.fillStyle = getComputedStyle(document.querySelector(arguments[0]))[arguments[1]];
pen.fillRect(0, 0, 1, 1);
return Array.from(pen.getImageData(0, 0, 1, 1).data).slice(0, 3);
"""


def luminance(rgb):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
