"""`!bag setup` in the chat page: channels are chosen from a list, and the form is filled in."""

from bot.app import App
from bot.demo.chat.server import Chat
from tests.bot.demo.person import Person


async def test_the_panel_is_used_over_http(make_config, pool, session):
    app = App(make_config(), pool)
    async with app, Chat(app.create_bot()) as chat:
        ada = Person(session, chat, "ada")
        await ada.send("!bag setup")
        panel = await ada.last()
        home, hall, hour = (row[0] for row in panel["rows"][:3])
        assert [option["label"] for option in home["options"] if option["default"]] == ["#bag-dreams"]
        assert not any(option["default"] for option in hall["options"])
        assert "No daily dream bag" in [option["label"] for option in hour["options"]]

        channel = home["options"][0]["value"]
        choice = {"message": panel["id"], "custom_id": hall["custom_id"], "values": [channel]}
        assert (await ada.act(do="select", **choice))["ok"]
        hall = (await ada.last())["rows"][1][0]
        assert [option["value"] for option in hall["options"] if option["default"]] == [channel]
        form = (await ada.click(panel, "bag:setup:more"))["form"]
        values = {field["id"]: field["value"] for field in form["fields"]} | {"votes": "7"}
        assert await ada.act(do="submit", form=form["id"], values=values) == {"ok": True}
        assert "7" in str((await ada.last())["embeds"])
