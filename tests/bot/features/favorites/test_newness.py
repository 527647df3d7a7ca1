"""How new a bag is beside the photos: `!bag show`, the favorite's file, and the hall of fame."""

import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from bot import words
from bot.codes import Code
from gan.neighbors import NearestPhoto


async def pixels(world, code):
    """A design's picture, uint8 [S, S, 3]."""
    picture = await world.app.studio.picture(Code.of(code))
    return np.asarray(Image.open(BytesIO(picture.original)))


def learn_from(world, *photos):
    """A dataset of these photos."""
    folder = world.folder / "dataset"
    folder.mkdir(exist_ok=True)
    np.save(folder / "images.npy", np.stack(photos))
    (folder / "items.jsonl").write_text("".join(f'{{"sha256": "{n:064}"}}\n' for n in range(len(photos))))


def newness(message):
    """What a design's card says of it."""
    return next(field.value for field in message.embeds[0].fields if field.name == "How new")


async def shown(world, code, form):
    if form == "slash":
        return (await world.ada.slash(world.channel, "bag show", code=code)).response.message
    await world.ada.send(world.channel, f"!bag show {code}")
    return world.last


async def test_a_near_copy_is_a_favorite_but_stays_out_of_the_hall(server):
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        await world.ada.send(world.channel, "!bag 42")
        bag, code = world.last, world.code
        copied = await pixels(world, code)
        assert "can't tell" in newness(await shown(world, code, "prefix"))

        learn_from(world, 255 - copied, copied[:, ::-1])
        for form in ("prefix", "slash"):
            said = newness(await shown(world, code, form))
            assert said == "a near copy of a real photo; 0 % away from the nearest of today's 2 photos"
        result = await world.ada.click(bag, custom_id=f"bag:save:{code}")
        assert result.ephemeral
        assert "now one of your favorites" in result.response.content
        assert words.NEAR_COPY in result.response.content
        about = json.loads((world.folder / "favorites" / f"{code}.json").read_text())
        assert about["nearest"] == {"photo": f"{1:064}", "distance": pytest.approx(0, abs=1e-3), "photos": 2}
        for person in (world.ada, world.ben):
            await person.click(bag, custom_id=f"bag:up:{code}")
        assert words.NEAR_COPY in world.last.content
        await world.restart()
        await world.env.settle()
        assert not [message for message in hall.history() if message.author.bot]
        await world.ada.send(world.channel, "!bag favorites")
        assert code in world.last.embeds[0].description

        learn_from(world, 255 - copied)  # another bag is as new as can be
        assert newness(await shown(world, code, "prefix")).startswith("new")


async def test_photos_that_cannot_be_read_cost_nobody_a_favorite(server, caplog):
    async with server() as world:
        (world.folder / "dataset").mkdir()
        (world.folder / "dataset" / "images.npy").write_bytes(b"rubbish")
        hall = world.guild.create_text_channel("hall-of-fame")
        await world.ada.send(world.channel, "!bag 42")
        code = world.code
        result = await world.ada.click(world.last, custom_id=f"bag:save:{code}")
        assert result.response.content == words.saved(code)
        assert json.loads((world.folder / "favorites" / f"{code}.json").read_text())["nearest"] is None
        assert len([message for message in hall.history() if message.author.bot]) == 1
        assert "rebuild it" in caplog.text


@pytest.mark.parametrize(
    ("distance", "said"),
    [(0.099, "a near copy"), (0.1, "close to a real photo"), (0.2, "about as new as"), (0.3, "new: further")],
)
def test_newness_has_four_words(distance, said):
    assert words.newness(NearestPhoto("0" * 64, distance, 2149)).startswith(said)
