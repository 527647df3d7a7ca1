"""`!bag like` and *Dream a bag like this*: the dream that is most like a photo."""

import io
import logging

import numpy as np
from PIL import Image

from bot.demo.shop.drawing import draw
from bot.features import like
from tests.bot.world import VOCABULARY
from tests.scraper.test_decode import HEIC

MENU = "Dream a bag like this"


def encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def photo(number=7):
    """A photo of a bag on a plain background."""
    return encoded(draw(number, 96, 96), "JPEG", quality=95)


def red_bag():
    bag = Image.new("RGB", (96, 96), "white")
    bag.paste((200, 20, 30), (20, 30, 76, 80))
    return encoded(bag)


def opened(attachment_bytes):
    return np.asarray(Image.open(io.BytesIO(attachment_bytes)).convert("RGB")).astype(float)


HURRY = "from gan import inversion; inversion.SEEDS, inversion.ROUNDS = 64, ((2, 8),)"


async def hurry(world):
    """Let the drawing process look for likeness no longer than a test needs."""
    await world.app.pool.draw(exec, HURRY, lane="slow")


async def show(world, how, person, name, data):
    """Ben shows a file to the bot; its public answer, or what it told him in private."""
    before = len(world.channel.history()), len(world.whispers(person))
    result = None
    if how == "attached":
        await person.send(world.channel, "!bag like", attachments=[(name, data)])
    elif how == "slash":
        result = await person.slash(world.channel, "bag like", photo=(name, data))
    else:
        shown = await world.ada.send(world.channel, "look", attachments=[(name, data)])
        if how == "reply":
            await person.send(world.channel, "!bag like", reply_to=shown)
        else:
            result = await person.context_menu(world.channel, MENU, shown)
    if len(world.whispers(person)) > before[1]:
        return world.whispers(person)[-1]
    if result is not None and result.ephemeral:
        return result.response.content
    assert len(world.channel.history()) > before[0]
    return world.last


async def test_a_photo_gives_the_dream_most_like_it(server, caplog):
    caplog.set_level(logging.DEBUG)
    async with server() as world:
        await hurry(world)
        codes = []
        for how in ("attached", "slash", "menu"):
            answer = await show(world, how, world.ben, "my-secret-holiday.jpg", photo())
            codes.append(world.code)
            (file,) = answer.attachments
            pair = opened(await file.read())
            assert pair.shape == (256, 512, 3)
            assert np.abs(pair[:, :256] - np.asarray(draw(7, 96, 96).resize((256, 256)))).mean() < 30
            assert "photo of a bag" in file.description
            assert world.code in file.description
            ids = [item.custom_id for row in answer.components for item in row.children]
            assert f"bag:up:{world.code}" in ids
        # The same photo gives the same bag, and its code draws it.
        assert len(set(codes)) == 1
        await world.ada.send(world.channel, f"!bag {codes[0]}")
        alone = opened(await world.last.attachments[0].read())
        dream = np.asarray(Image.fromarray(alone.astype(np.uint8)).resize((256, 256)))
        assert np.abs(pair[:, 256:] - dream).mean() < 20
        # It is a design like others.
        await world.ben.click(answer, custom_id=f"bag:up:{codes[0]}")
        assert (await world.app.store.tally(codes[0])).up == 1
        await world.ben.send(world.channel, f"!bag show {codes[0]}")
        assert ("Dreamed like", "a photo") in [(one.name, one.value) for one in world.last.embeds[0].fields]
        await world.ben.send(world.channel, f"!bag variations {codes[0]}")
        assert f"Variations of {codes[0]}" in world.last.embeds[0].title
        # Nothing of the photo is kept.
        assert "holiday" not in caplog.text
        files = [path for path in world.folder.rglob("*") if path.is_file()]
        assert all(photo()[200:260] not in path.read_bytes() for path in files)


def animated():
    frames = [draw(number, 64, 64) for number in (1, 2)]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


async def test_the_photo_says_the_color(server):
    async with server(vocabulary=VOCABULARY) as world:
        await hurry(world)
        answer = await show(world, "attached", world.ben, "bag.png", red_bag())
        assert answer.embeds[0].footer.text.startswith("a red ")
        assert "a red " in answer.attachments[0].description
        custom_ids = [item.custom_id for row in answer.components for item in row.children]
        assert f"bag:more:{world.code}" in custom_ids
        await world.more(world.ben, answer, f"bag:restyle:0:{world.code}")
        assert "black" in world.last.embeds[0].description


NO_PHOTOS = {
    "notes.txt": (b"a bag, please", "can't read that as a picture"),
    "bag.jpg": (b"", "can't read that as a picture"),
    "cut.png": (encoded(draw(7, 96, 96))[:-600], "damaged"),
    "film.gif": (animated(), "moves"),
    "huge.png": (encoded(Image.new("1", (8000, 7000))), "too many pixels"),
    "dot.png": (encoded(Image.new("RGB", (8, 8))), "too small"),
    "strip.png": (encoded(Image.new("RGB", (600, 20))), "too slim"),
    "white.png": (encoded(Image.new("RGB", (96, 96), "white")), "can't tell a bag"),
    "wall.png": (encoded(Image.effect_noise((96, 96), 90).convert("RGB")), "can't tell a bag"),
    "phone.heic": (HEIC, "can't tell a bag"),  # it is read: half of it is red
}


async def test_what_shows_no_bag_is_refused_kindly_and_in_private(server):
    async with server() as world:
        await hurry(world)
        for number, (name, (data, said)) in enumerate(NO_PHOTOS.items()):
            how = ("attached", "slash", "reply", "menu")[number % 4]
            assert said in await show(world, how, world.ben, name, data), name
        assert not any(message.author.bot for message in world.channel.history())


async def test_what_can_not_be_downloaded_is_refused(server, monkeypatch):
    async with server() as world:
        for command in ("!bag like", "!bag like 42"):
            await world.ben.send(world.channel, command)
            assert "Show me a photo" in world.whispers(world.ben)[-1]
        result = await world.ben.slash(world.channel, "bag like")
        assert "Show me a photo" in result.response.content
        text = await world.ada.send(world.channel, "no photo here")
        result = await world.ben.context_menu(world.channel, MENU, text)
        assert result.ephemeral
        assert "Show me a photo" in result.response.content
        monkeypatch.setattr(world.env.backend.cdn, "get", lambda _: None)
        for how in ("attached", "slash", "menu"):
            assert "already gone" in await show(world, how, world.ben, "bag.jpg", photo())
        monkeypatch.setattr(like, "PHOTO_BYTES", 1000)
        for how in ("attached", "menu"):
            assert "too large" in await show(world, how, world.ben, "bag.jpg", photo())


async def test_before_the_first_run_there_is_nothing_to_dream(server):
    async with server(generator=False) as world:
        assert "haven't dreamed yet" in await show(world, "attached", world.ben, "bag.jpg", photo())


async def test_the_menu_has_a_cooldown_too(server, monkeypatch):
    monkeypatch.setenv("BOT_COOLDOWN_SECONDS", "3600")
    async with server() as world:
        await world.ben.send(world.channel, "!bag like")
        assert "One moment" in await show(world, "menu", world.ben, "bag.jpg", photo())
