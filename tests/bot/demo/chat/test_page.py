"""The chat page in a real browser."""

import asyncio

import pytest
from selenium.webdriver.common.keys import Keys

from bot.demo.chat.server import Chat

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


def composed(browser):
    return browser.one("#composer").get_property("value")


def suggest(browser, address):
    """Enter takes what is marked, unless what is typed is a whole command."""
    browser.open(f"{address}/?as=ada")
    box = browser.one("#composer")
    box.send_keys("!mor")
    browser.sees("!morph", "#suggestions")
    assert box.get_attribute("aria-expanded") == "true"
    assert browser.one("#suggestion-0").get_attribute("aria-selected") == "true"
    box.send_keys(Keys.ENTER)
    browser.until(lambda: composed(browser) == "!morph ")
    box.send_keys("3", Keys.ENTER)
    browser.one(".attachment img[alt='A drawn bag, number 3']")

    box.send_keys("!bag", Keys.ENTER)
    browser.sees("Bag toy-42")

    box.send_keys("/find gr")
    browser.sees("Green", "#suggestions")
    box.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    browser.until(lambda: composed(browser) == "/find green")
    box.send_keys(" ")
    browser.sees("large", "#suggestions")
    box.send_keys(Keys.ESCAPE)
    browser.until(lambda: not browser.one("#suggestions").is_displayed())
    box.send_keys("large", Keys.ENTER)
    browser.sees("A large green bag.")


def fill_in(browser, address):
    """A form, the Apps menu of a message, and a list of which two are chosen."""
    browser.type("!ask")
    browser.click("[data-custom-id='wish']")
    field = browser.one("#form[open] input")
    assert field.get_property("value") == "a tote"
    field.clear()
    field.send_keys("a red clutch", Keys.ENTER)
    browser.sees("You wish for a red clutch.")
    browser.until(lambda: not browser.all("#form[open]"))

    choose = browser.one(".row .choose")
    assert (choose.text, choose.is_enabled()) == ("Choose 2", False)
    browser.choose("select[data-custom-id='two']", "one")
    assert not choose.is_enabled()
    browser.choose("select[data-custom-id='two']", "three")
    browser.click(".row .choose")
    browser.sees("You chose one and three.")

    browser.type("hello")
    browser.sees("hello")
    browser.driver.execute_script(
        "const all = [...document.querySelectorAll('.message')];"
        "const said = all.filter((one) => one.innerText.includes('hello')).pop();"
        "said.querySelector('.apps > button').focus()"
    )
    browser.press(Keys.ENTER)
    browser.press(Keys.ENTER)
    browser.sees("5 letters", ".ephemeral")


async def test_suggestions_forms_and_apps_by_keyboard(chat, browser):
    await asyncio.to_thread(suggest, browser, chat.address)
    await asyncio.to_thread(fill_in, browser, chat.address)


def follow(browser, address):
    browser.open(f"{address}/?as=ada")
    browser.type("!bag 1")
    browser.one("[data-custom-id='keep:1']")
    for number in range(30):
        browser.type(f"line {number}")
    browser.sees("line 29")
    browser.driver.execute_script("document.getElementById('scroller').scrollTop = 0")
    browser.one("[data-custom-id='keep:1']").click()
    browser.sees("Saved bag 1")
    near = (
        "const s = document.getElementById('scroller'); return s.scrollHeight - s.scrollTop - s.clientHeight"
    )
    browser.until(lambda: browser.driver.execute_script(near) < 2, "the answer was not followed")

    browser.click(".embed .picture")
    wide = browser.one("#lightbox[open] img")
    height = browser.driver.execute_script("return innerHeight")
    browser.until(lambda: wide.size["height"] > 0.75 * height, "the picture does not fill the window")
    browser.press(Keys.ESCAPE)


async def test_an_answer_to_a_click_is_followed_and_a_picture_fills_the_window(chat, browser):
    await asyncio.to_thread(follow, browser, chat.address)


SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifted += each.value;
}).observe({ type: "layout-shift", buffered: true });
"""


SMALL = """
return [...document.querySelectorAll("button, select, .row a")].filter((one) => {
  const box = one.getBoundingClientRect();
  const seen = one.checkVisibility({ visibilityProperty: true }) && box.height;
  return seen && Math.min(box.width, box.height) < 23.5;
}).map((one) => one.outerHTML.slice(0, 120));
"""


def inspect(browser, address, scheme):
    browser.media(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
    browser.open(f"{address}/?as=ada")
    browser.driver.execute_script(SHIFTS)
    for text in ("!bag 42", "!shape", "!morph 3", "!ask", "!thread Night run", "!whisper hush", "/bag 7"):
        browser.type(text)
    browser.sees("Bag toy-7")
    browser.one("canvas.still")  # the animation stands still
    assert browser.driver.execute_script("return window.shifted") < 0.1
    ground = browser.driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")
    browser.one("#composer").send_keys("!")
    browser.one("#suggestions li")
    assert browser.look_for_faults() == []
    browser.one("#composer").clear()
    browser.click("[data-custom-id='wish']")
    browser.one("#form[open] input")
    assert browser.look_for_faults() == []
    browser.press(Keys.ESCAPE)
    small = browser.driver.execute_script(SMALL)
    assert small == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_axe_finds_nothing_serious(chat, browser, scheme):
    await asyncio.to_thread(inspect, browser, chat.address, scheme)


def open_the_menu(browser, address):
    browser.resize(390, 844)
    browser.open(f"{address}/?as=ada")
    browser.click("#menu")
    focused = "return document.activeElement.closest('#side') !== null"
    browser.until(lambda: browser.driver.execute_script(focused), "the focus is not in the menu")
    assert browser.look_for_faults() == []
    browser.press(Keys.ESCAPE)
    browser.until(lambda: browser.driver.switch_to.active_element.get_attribute("id") == "menu")
    assert not browser.one("#side").is_displayed()


async def test_the_menu_on_a_phone_takes_and_gives_back_the_focus(chat, browser):
    await asyncio.to_thread(open_the_menu, browser, chat.address)


async def test_a_lost_connection_is_told_until_it_is_back(toy, browser):
    async with Chat(toy) as chat:
        port = int(chat.address.rsplit(":", 1)[1])
        await asyncio.to_thread(browser.open, chat.address)
    await asyncio.to_thread(browser.one, "body[data-connected='false']")
    await asyncio.to_thread(browser.type, "!bag 1")
    await asyncio.to_thread(browser.sees, "connection was lost", "#error")
    async with Chat(type(toy)(), port=port):
        await asyncio.to_thread(browser.one, "body[data-connected='true']")
        await asyncio.to_thread(browser.until, lambda: not browser.one("#error").is_displayed())
