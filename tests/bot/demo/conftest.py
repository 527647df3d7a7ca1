"""A toy bot that uses what real bots use, the chat around it, and a headless browser."""

import asyncio
import io
import os
import re
import shutil
from collections import Counter
from pathlib import Path

import aiohttp
import axe_core_python
import discord
import pytest
from discord import app_commands
from discord.ext import commands
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from bot.demo.chat.server import Chat
from bot.demo.shop.drawing import draw

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text("utf-8")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
)


def picture(number, kind="PNG", size=192):
    buffer = io.BytesIO()
    frames = [draw(number + step, size, size) for step in range(4 if kind == "GIF" else 1)]
    frames[0].save(
        buffer,
        kind,
        **(
            {"save_all": True, "append_images": frames[1:], "loop": 0, "duration": 300}
            if kind == "GIF"
            else {}
        ),
    )
    return discord.File(
        io.BytesIO(buffer.getvalue()),
        f"bag-{number}.{kind.lower()}",
        description=f"A drawn bag, number {number}",
    )


class Vote(discord.ui.DynamicItem[discord.ui.Button], template=r"vote:(?P<number>\d+):(?P<up>[01])"):
    def __init__(self, number, up, votes=0):
        self.number, self.up = number, up
        style = discord.ButtonStyle.success if up else discord.ButtonStyle.secondary
        super().__init__(
            discord.ui.Button(
                custom_id=f"vote:{number}:{up}", emoji="👍" if up else "👎", label=str(votes), style=style
            )
        )

    @classmethod
    async def from_custom_id(cls, interaction, item, match: re.Match):
        return cls(int(match["number"]), int(match["up"]))

    async def callback(self, interaction):
        ballots = interaction.client.ballots.setdefault(self.number, {})
        ballots[interaction.user.id] = self.up
        embed = interaction.message.embeds[0]
        embed.set_footer(text=f"{len(ballots)} have voted")
        await interaction.response.edit_message(
            embed=embed, view=vote_view(self.number, Counter(ballots.values()))
        )


class Keep(discord.ui.DynamicItem[discord.ui.Button], template=r"keep:(?P<number>\d+)"):
    def __init__(self, number):
        self.number = number
        super().__init__(
            discord.ui.Button(
                custom_id=f"keep:{number}", emoji="💾", label="Save", style=discord.ButtonStyle.primary
            )
        )

    @classmethod
    async def from_custom_id(cls, interaction, item, match: re.Match):
        return cls(int(match["number"]))

    async def callback(self, interaction):
        await interaction.response.send_message(f"Saved bag **{self.number}** for you.", ephemeral=True)


class Choose(discord.ui.Select):
    def __init__(self):
        options = [
            discord.SelectOption(label=word.title(), value=word, emoji="👜") for word in ("tote", "clutch")
        ]
        super().__init__(custom_id="choose", placeholder="Which shape?", options=options)

    async def callback(self, interaction):
        await interaction.response.send_message(f"{interaction.user.mention} likes a {self.values[0]}.")


class Two(discord.ui.Select):
    def __init__(self):
        options = [discord.SelectOption(label=name) for name in ("one", "two", "three")]
        super().__init__(
            custom_id="two", placeholder="Two to breed", options=options, min_values=2, max_values=2
        )

    async def callback(self, interaction):
        await interaction.response.send_message(f"You chose {' and '.join(self.values)}.")


class Form(discord.ui.Modal, title="A wish"):
    def __init__(self):
        super().__init__(custom_id="wish")
        field = discord.ui.TextInput(custom_id="what", default="a tote", max_length=20)
        self.add_item(discord.ui.Label(text="What shall I dream?", component=field))

    async def on_submit(self, interaction):
        wish = self.children[0].component.value
        if wish == "nothing":
            return
        await interaction.response.send_message(f"You wish for {wish}.")


class Wish(discord.ui.Button):
    def __init__(self):
        super().__init__(custom_id="wish", label="Make a wish")

    async def callback(self, interaction):
        await interaction.response.send_modal(Form())


async def count(interaction, message: discord.Message):
    await interaction.response.send_message(f"{len(message.content)} letters", ephemeral=True)


def vote_view(number, votes=None):
    view = discord.ui.View(timeout=None)
    for item in (
        Vote(number, 1, (votes or {}).get(1, 0)),
        Vote(number, 0, (votes or {}).get(0, 0)),
        Keep(number),
    ):
        view.add_item(item)
    view.add_item(discord.ui.Button(custom_id="off", label="Sold out", disabled=True))
    return view


class Toy(commands.AutoShardedBot):
    def __init__(self, ballots=None):
        super().__init__(command_prefix="!", intents=discord.Intents.all(), help_command=None)
        self.ballots = {} if ballots is None else ballots

    async def setup_hook(self):
        self.add_dynamic_items(Vote, Keep)
        view = discord.ui.View(timeout=None)
        view.add_item(Choose())
        self.add_view(view)
        view.add_item(Two())
        for command in (bag, find, eat, morph, shape, slow, mute, thread, whisper, ask):
            self.add_command(
                command
                if isinstance(command, commands.HybridCommand | commands.HybridGroup)
                else command.copy()
            )
        self.tree.add_command(app_commands.ContextMenu(name="Count the letters", callback=count))
        await self.tree.sync()

    async def on_command_error(self, context, error):
        await context.send(f"No: {error}", ephemeral=True)


@commands.hybrid_command()
@app_commands.describe(number="Which bag")
async def bag(context, number: int = 42):
    """Dream one bag."""
    embed = discord.Embed(
        title=f"Bag `toy-{number}`", description="A **drawn** bag. Try `!morph 7`.", color=0xE0557F
    )
    embed.add_field(name="Epoch", value="12", inline=True).add_field(
        name="Generator", value="`toy`", inline=True
    )
    embed.set_image(url=f"attachment://bag-{number}.png").set_footer(text="Nobody has voted")
    await context.send(embed=embed, file=picture(number), view=vote_view(number))


async def colors(interaction, typed):
    names = ("red", "green", "light blue")
    return [app_commands.Choice(name=name.title(), value=name) for name in names if name.startswith(typed)]


@commands.hybrid_command()
@app_commands.autocomplete(color=colors)
@app_commands.choices(size=[app_commands.Choice(name=name, value=name) for name in ("small", "large")])
async def find(context, color: str, size: str = "small"):
    """Find a bag."""
    await context.send(f"A {size} {color} bag.")


@commands.hybrid_group(fallback="what")
async def eat(context):
    """Not a bag."""


@eat.command()
async def cake(context):
    """A cake."""
    await context.send("Delicious.")


@commands.command()
async def ask(context):
    """A form, and a list of which two are chosen."""
    view = discord.ui.View(timeout=None)
    for item in (Wish(), Two()):
        view.add_item(item)
    await context.send("Ask me", view=view)


@commands.command()
async def morph(context, number: int):
    """An animation."""
    await context.reply(f"From {number} onwards, <@{context.author.id}>", file=picture(number, "GIF"))


@commands.command()
async def shape(context):
    """A menu."""
    view = discord.ui.View(timeout=None)
    view.add_item(Choose())
    await context.send("# Shapes\n- tote\n- __clutch__\n-# choose <b>one</b>", view=view)


@commands.command()
async def slow(context, seconds: float):
    """Think for a while, off the loop."""
    await asyncio.get_running_loop().run_in_executor(None, __import__("time").sleep, seconds)
    await context.send("done thinking")


@commands.command()
async def mute(context):
    """A button that nobody answers."""
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(custom_id="nobody", label="Nobody"))
    await context.send("listens to nobody", view=view)


@commands.command()
async def thread(context, *, name: str):
    """A thread on a message."""
    message = await context.send(f"A new run: {name}")
    started = await message.create_thread(name=name)
    await started.send("Epoch 1", file=picture(5))


@commands.command()
async def whisper(context, *, text: str):
    """Something private."""
    await context.author.send(f"psst: {text}", view=vote_view(3))


@pytest.fixture
async def toy():
    return Toy()


@pytest.fixture
async def chat(toy):
    async with Chat(toy) as chat:
        yield chat


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


class Browser:
    """A headless Chromium, with waiting built in. Blocking: call it through asyncio.to_thread."""

    def __init__(self, folder):
        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS, f"--user-data-dir={folder}", "--window-size=1280,860"):
            options.add_argument(flag)
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))

    def open(self, address):
        """Open the chat page and wait until it is live."""
        self.driver.get(address)
        self.until(lambda: self.all("body[data-connected='true']"), "the page is not connected")

    def until(self, condition, message="the page never showed it", seconds=20):
        """Wait for `condition()` to be something, and give it back."""
        ignored = (NoSuchElementException, StaleElementReferenceException)
        return WebDriverWait(self.driver, seconds, 0.1, ignored).until(lambda _: condition(), message)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css):
        """The last element that matches, as soon as there is one."""
        return self.until(lambda: self.all(css), f"nothing matches {css}")[-1]

    def click(self, css):
        def clicked():
            found = self.all(css)
            if found:
                self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", found[-1])
                found[-1].click()
            return found

        self.until(clicked, f"nothing to click at {css}")

    def choose(self, css, text):
        """Choose the option of a select whose words contain `text`."""
        menu = Select(self.one(css))
        menu.select_by_visible_text(next(option.text for option in menu.options if text in option.text))

    def look_for_faults(self):
        """What axe finds serious: a line each."""
        self.driver.execute_script(AXE)
        found = self.driver.execute_async_script(
            "const done = arguments[0]; axe.run().then((result) => done(result.violations))"
        )
        return [
            f"{fault['id']}: {fault['help']}: {node['html'][:120]} {node.get('failureSummary', '')[:300]}"
            for fault in found
            if fault["impact"] in ("serious", "critical")
            for node in fault["nodes"]
        ]

    def media(self, **features):
        """Let the system ask for something: `prefers_color_scheme="light"`."""
        wanted = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": wanted})

    def resize(self, width, height):
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def press(self, *keys):
        """Press keys wherever the focus is."""
        self.driver.switch_to.active_element.send_keys(*keys)

    def type(self, text):
        """Send `text` as a message."""
        self.one("#composer").send_keys(text, "\n")

    def sees(self, text, css="#messages", seconds=20):
        """Wait until `text` stands in an element that matches `css`."""
        shown = lambda: any(text in element.text for element in self.all(css))  # noqa: E731
        self.until(shown, f"{text!r} is not shown in {css}", seconds)

    def shoot(self, path):
        self.driver.save_screenshot(str(path))


@pytest.fixture
def browser(tmp_path):
    if not (CHROMIUM and DRIVER):
        why = "Debian's chromium and chromium-driver are missing: the chat page was not tried in a browser"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(why)
        pytest.skip(why)
    opened = Browser(tmp_path / "profile")
    yield opened
    opened.driver.quit()
