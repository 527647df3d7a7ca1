"""An evening on the wire: the bot as it is run, with all that people do in it."""

import sys

from tests.bot.world import until
from tests.wire.conftest import BotWire


async def test_an_evening(wire: BotWire) -> None:
    async with wire.bot() as bot:
        await until(lambda: wire.syncs)
        typed = wire.ben.send(wire.channel, "!bag 42")
        card = await typed.picture()
        assert card.code.endswith("-42")
        assert all(file.get("description") for file in card.files)

        if sys.platform == "linux":
            assert bot.children
            assert not [child for child in bot.children if wire.token in (child / "environ").read_text()]

        slash = wire.ada.slash(wire.channel, "bag dream", code="42")
        assert (await slash.picture()).code == card.code

        click = wire.ada.click(card, "bag:up")
        await click.acknowledgement()
        await until(lambda: card.control("bag:up")["label"] == "1")
        saved = await wire.ben.click(card, "bag:save").answer()
        assert card.code in saved.content
        assert saved in wire.ben.whispers

        typing = wire.ben.type(wire.channel, "bag show", code="4")
        await until(lambda: typing.choices is not None)
        assert {"name": card.code, "value": card.code} in (typing.choices or [])

        panel = await wire.ada.slash(wire.channel, "bag setup").answer()
        form = wire.ada.click(panel, "bag:setup:more")
        await form.acknowledgement()
        await wire.ada.submit(form, zone="Europe/Paris").acknowledgement()
        await until(lambda: "Europe/Paris" in panel.text)

        private = await wire.ben.dm("!bag help").answer()
        assert "!bag 42" in private.text
        wire.ben.send(wire.channel, "!bag banana")
        await until(lambda: any("banana" in told for told in wire.ben.told))

        assert not wire.thinking()
        assert not wire.failed()
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log
