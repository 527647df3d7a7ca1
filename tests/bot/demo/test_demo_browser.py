"""The real bot in a real browser: dreaming, voting as two people, saving, morphing, a restart."""

import asyncio
import io
import urllib.request

import pytest
from PIL import Image

from bot.app import App
from bot.demo.chat.server import Chat

pytestmark = pytest.mark.browser


def loaded(browser, css):
    """Wait until the picture is there and has pixels; the element."""
    picture = browser.one(css)
    browser.until(lambda: picture.get_property("naturalWidth") > 0, f"the picture {css} did not load")
    return picture


def ask_and_vote(browser, address):
    """As Ada: dream a bag and vote for it; the bag's code."""
    browser.open(f"{address}/?as=ada")
    browser.type("!bag 42")
    browser.sees("-42", ".embed")
    picture = loaded(browser, ".embed img[alt^='A dreamed handbag']")
    code = picture.get_attribute("alt").split("design ")[1].split(",")[0]
    assert code.endswith("-42")
    assert picture.get_property("naturalWidth") == 128
    browser.click(f"[data-custom-id='bag:up:{code}']")
    browser.sees("1", f"[data-custom-id='bag:up:{code}']")
    return code


def vote_in_a_second_tab(browser, address, code):
    """As Ben, with Ada's tab still open: the tally grows in both, and the bag becomes a favorite."""
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.open(f"{address}/?as=ben")
    browser.sees("1", f"[data-custom-id='bag:up:{code}']")
    browser.click(f"[data-custom-id='bag:up:{code}']")
    browser.sees("2", f"[data-custom-id='bag:up:{code}']")
    browser.sees(f"{code} got 2 votes", "#messages")
    browser.driver.switch_to.window(first)
    browser.sees("2", f"[data-custom-id='bag:up:{code}']")


def save_and_find(browser, code):
    browser.click(f"[data-custom-id='bag:save:{code}']")
    browser.sees("one of your favorites", ".ephemeral")
    browser.type("!bag favorites")
    loaded(browser, f".embed img[alt^='A numbered grid of 1 '][alt*='{code}']")
    browser.sees(f"1 {code}", ".embed")


def play(browser):
    """Morph 42 into 7; the address of the animation that the page plays."""
    browser.type("!bag interpolate 42 7")
    loaded(browser, ".attachment img[alt*='handbags side by side']")
    return loaded(browser, ".attachment img[alt^='A looping animation']").get_property("src")


def change_the_vote(browser, code):
    """On the message from before the restart."""
    browser.click(f"[data-custom-id='bag:down:{code}']")
    browser.sees("1", f"[data-custom-id='bag:down:{code}']")
    browser.sees("1", f"[data-custom-id='bag:up:{code}']")
    browser.type("!bag 7")
    browser.sees("-7", ".embed")


async def test_two_people_dream_vote_save_and_morph_and_the_bot_restarts(make_config, pool, browser):
    app = App(make_config(), pool)
    async with app, Chat(app.create_bot()) as chat:
        code = await asyncio.to_thread(ask_and_vote, browser, chat.address)
        await asyncio.to_thread(vote_in_a_second_tab, browser, chat.address, code)
        await asyncio.to_thread(save_and_find, browser, code)
        address = await asyncio.to_thread(play, browser)
        data = await asyncio.to_thread(lambda: urllib.request.urlopen(address).read())
        assert Image.open(io.BytesIO(data)).n_frames > 30
        await chat.restart(app.create_bot())
        await asyncio.to_thread(change_the_vote, browser, code)
