"""The chat page in a real browser."""

import asyncio

import pytest

pytestmark = pytest.mark.browser


def use(browser, address):
    browser.open(address)
    browser.type("!bag 42")
    browser.sees("Bag toy-42")
    picture = browser.one(".embed img[alt='A drawn bag, number 42']")
    browser.until(lambda: picture.get_property("naturalWidth") == 192, "the picture did not load")

    browser.click("[data-custom-id='vote:42:1']")
    browser.sees("1", "[data-custom-id='vote:42:1']")
    browser.click("[data-custom-id='keep:42']")
    browser.sees("Only you can see this", ".ephemeral")

    as_ben(browser)
    assert not browser.all(".ephemeral")
    browser.click("[data-custom-id='vote:42:1']")
    browser.sees("2", "[data-custom-id='vote:42:1']")
    browser.sees("2 have voted", ".embed .footer")

    browser.click("code.command")  # the bot's own hint
    assert browser.one("#composer").get_property("value") == "!morph 7"
    browser.type("")
    animation = browser.one(".attachment img[alt='A drawn bag, number 7']")
    browser.until(lambda: animation.get_property("complete"), "the animation did not load")

    browser.type("!shape")
    browser.choose("select[data-custom-id='choose']", "Clutch")
    browser.sees("@Ben likes a clutch.")

    browser.type("!mute")
    browser.click("[data-custom-id='nobody']")
    browser.sees("did not answer", "#error")

    browser.type("!whisper hush")
    browser.sees("psst: hush", "#told")
    browser.click("#told .open")
    browser.sees("psst: hush")
    browser.until(lambda: not browser.one("#told").is_displayed())
    browser.click("#channels button:first-child")

    browser.type("!thread Night run")
    browser.click(".starter")
    browser.sees("Epoch 1")
    browser.until(lambda: browser.one("h2#title").text == "Night run")


def as_ben(browser):
    browser.choose("#as", "Ben")
    browser.until(lambda: "as=ben" in browser.driver.current_url)
    browser.sees("!bag 42")


async def test_two_people_use_the_page(chat, browser):
    await asyncio.to_thread(use, browser, f"{chat.address}/?as=ada")


async def test_what_the_bot_posts_shows_up_and_the_reader_is_not_torn_away(chat, toy, browser):
    await asyncio.to_thread(browser.open, chat.address)
    channel = toy.get_channel(chat.channel_id)
    for number in range(40):
        await channel.send(f"line {number}")
    await asyncio.to_thread(browser.sees, "line 39")
    at_end = (
        "const s = document.getElementById('scroller'); return s.scrollHeight - s.scrollTop - s.clientHeight"
    )
    assert await asyncio.to_thread(browser.driver.execute_script, at_end) < 2

    await asyncio.to_thread(
        browser.driver.execute_script, "document.getElementById('scroller').scrollTop = 0"
    )
    await channel.send("a late line")
    await asyncio.to_thread(browser.one, "#newest:not([hidden])")
    assert (
        await asyncio.to_thread(
            browser.driver.execute_script, "return document.getElementById('scroller').scrollTop"
        )
        == 0
    )
    await asyncio.to_thread(browser.click, "#newest")
    await asyncio.to_thread(browser.until, lambda: browser.driver.execute_script(at_end) < 2)


async def test_a_restarted_bot_goes_on_in_the_open_page(chat, toy, browser):
    await asyncio.to_thread(browser.open, chat.address)
    await asyncio.to_thread(browser.type, "!bag 1")
    await asyncio.to_thread(browser.one, "[data-custom-id='vote:1:1']")
    await chat.restart(type(toy)())
    await asyncio.to_thread(browser.click, "[data-custom-id='vote:1:1']")
    await asyncio.to_thread(browser.sees, "1", "[data-custom-id='vote:1:1']")
