"""A bot that has dreamt, and its gallery: built once and looked at by all."""

import asyncio
import os
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from PIL import Image

from bot.app import App
from bot.codes import Code
from bot.gallery.build import build
from bot.settings import load_config
from gan.run import newest
from tests.bot.conftest import CONFIG
from tests.bot.demo.conftest import CHROMIUM, DRIVER, Browser

TODAY = date(2026, 11, 21)
PEOPLE = (987654321098765432, 876543210987654321)
GUILD = 765432109876543210


async def fill(config, pool):
    """A server that has dreamt: seven favorites (two of them bred), three daily bags, one run."""
    whole = App(config, pool)
    await whole.store.open()
    model = await whole.studio.current()
    codes = [Code.seeded(model.version, seed) for seed in range(10)]
    await whole.store.add_designs(codes, model.epoch, GUILD, PEOPLE[0])
    litter = await whole.studio.breed(codes[7:9], 1)
    await whole.store.add_bred(litter, model.epoch, GUILD, PEOPLE[0])
    grandchild = await whole.studio.breed([litter[0].code, codes[0]], 1)
    await whole.store.add_bred(grandchild, model.epoch, GUILD, PEOPLE[1])
    for code in (*codes[:5], litter[0].code, grandchild[0].code):
        await whole.store.save(str(code), GUILD, PEOPLE[0])
        await whole.store.vote(str(code), PEOPLE[1], GUILD, 1)
    for ago, code in enumerate(codes[4:7]):
        day = TODAY - timedelta(ago)
        await whole.store.claim_post(GUILD, "dream", day, str(code))
        await whole.store.complete_post(GUILD, "dream", day, 1000 + ago)
    await whole.store.claim_post(GUILD, "dream", TODAY - timedelta(3), str(codes[9]))  # never got out
    await whole.store.close()
    frames = [Image.new("RGB", (600, 600), (shade, 90, 90)) for shade in (0, 90, 250)]
    run = newest(config.gan.runs)
    frames[0].save(run.timelapse, save_all=True, append_images=frames[1:], duration=[100, 100, 900])


@pytest.fixture(scope="session")
def home(tmp_path_factory, trained, pool):
    """A folder with all that a bot keeps, and its gallery in `gallery`: to be looked at only."""
    folder = tmp_path_factory.mktemp("home")
    config = folder / "config.toml"
    config.write_text(CONFIG.format(folder=folder.as_posix(), extra=""))
    shutil.copytree(trained, folder / "runs")

    async def make():
        await fill(load_config(config), pool)
        return await build(load_config(config), pool, folder / "gallery", "")

    report = asyncio.run(make())
    assert (report.bags, report.runs) == (11, 1)
    assert report.written > 30
    return folder


@pytest.fixture
def built(home):
    """A gallery to be looked at only."""
    return home / "gallery"


@pytest.fixture
def out(home, tmp_path):
    """A copy of the gallery."""
    return Path(shutil.copytree(home / "gallery", tmp_path / "gallery"))


@pytest.fixture
def config(home, tmp_path):
    """A copy of all but the gallery."""
    shutil.copytree(home, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("gallery"))
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace(home.as_posix(), tmp_path.as_posix()))
    return load_config(config)


@pytest.fixture
def browser(tmp_path):
    if not (CHROMIUM and DRIVER):
        why = "Debian's chromium and chromium-driver are missing: the gallery was not tried in a browser"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(why)
        pytest.skip(why)
    opened = Browser(tmp_path / "profile")
    yield opened
    opened.driver.quit()
