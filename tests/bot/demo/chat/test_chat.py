import asyncio
import io
import random

import discord
import pytest
from PIL import Image
from yarl import URL

from bot.demo.chat.server import Chat
from tests.bot.demo.person import Person


@pytest.fixture
def ada(session, chat):
    return Person(session, chat, "ada")


@pytest.fixture
def ben(session, chat):
    return Person(session, chat, "ben")


def label(message, custom_id):
    return next(c["label"] for row in message["rows"] for c in row if c["custom_id"] == custom_id)


async def test_a_command_is_answered_with_a_picture(chat, session, ada):
    assert await ada.send("!bag 42") == {"ok": True}
    asked, answer = await ada.messages()
    assert (asked["author"]["name"], asked["text"], asked["author"]["bot"]) == ("Ada", "!bag 42", False)
    assert (answer["author"]["name"], answer["author"]["bot"]) == ("Bag Dreams", True)
    card = answer["embeds"][0]
    assert "<strong>drawn</strong>" in card["html"]
    assert [field["html"].strip() for field in card["fields"]] == ["<p>12</p>", "<p><code>toy</code></p>"]
    assert card["color"] == "#e0557f"
    assert answer["attachments"] == []  # shown once, in the embed
    assert card["image"]["alt"] == "A drawn bag, number 42"
    async with session.get(chat.address + card["image"]["url"]) as file:
        assert file.content_type == "image/png"
        assert Image.open(io.BytesIO(await file.read())).size == (
            card["image"]["width"],
            card["image"]["height"],
        )


async def test_two_people_vote_and_the_message_changes_in_place(ada, ben):
    await ada.send("!bag 1")
    message = await ada.last()
    assert await ada.click(message, "vote:1:1") == {"ok": True}
    assert await ben.click(message, "vote:1:1") == {"ok": True}
    assert await ben.click(message, "vote:1:0") == {"ok": True}
    after = await ada.last()
    assert after["id"] == message["id"]
    assert [label(after, "vote:1:1"), label(after, "vote:1:0")] == ["1", "1"]
    assert after["embeds"][0]["footer"] == "2 have voted"


async def test_a_private_reply_is_seen_by_one_and_can_be_dismissed(ada, ben):
    await ada.send("!bag 1")
    await ben.click(await ben.last(), "keep:1")
    reply = await ben.last()
    assert reply["ephemeral"]
    assert "<strong>1</strong>" in reply["html"]
    assert reply["id"] not in [message["id"] for message in await ada.messages()]
    assert not (await ada.act(do="dismiss", message=reply["id"]))["ok"]
    assert await ben.act(do="dismiss", message=reply["id"]) == {"ok": True}
    assert reply["id"] not in [message["id"] for message in await ben.messages()]


async def test_menus_replies_and_markdown(ada, ben):
    await ada.send("!shape")
    menu = await ada.last()
    assert "<u>clutch</u>" in menu["html"]
    assert "<small>choose &lt;b&gt;one&lt;/b&gt;</small>" in menu["html"]
    control = menu["rows"][0][0]
    assert [option["value"] for option in control["options"]] == ["tote", "clutch"]
    assert await ben.act(do="select", message=menu["id"], custom_id="choose", values=["clutch"]) == {
        "ok": True
    }
    answer = await ada.last()
    assert '<span class="mention">@Ben</span> likes a clutch.' in answer["html"]
    await ada.send("nice", reply=answer["id"])
    assert (await ben.last())["reply"] == {"id": answer["id"], "name": "Bag Dreams", "text": answer["text"]}


async def test_an_animation_arrives_whole(chat, session, ada):
    await ada.send("!morph 3")
    answer = await ada.last()
    assert answer["highlight"]
    (file,) = answer["attachments"]
    assert file["type"] == "image/gif"
    async with session.get(chat.address + file["url"]) as got:
        assert Image.open(io.BytesIO(await got.read())).n_frames == 4


async def test_slash_commands_are_typed(ada):
    for text, number in (("/bag 7", 7), ("/bag number:8", 8), ("/bag", 42)):
        assert await ada.send(text) == {"ok": True}
        answer = await ada.last()
        assert answer["used"] == {"name": "Ada", "command": "/bag"}
        assert f"toy-{number}" in answer["embeds"][0]["title"]
    assert await ada.send("/eat cake") == {"ok": True}
    assert (await ada.last())["used"] == {"name": "Ada", "command": "/eat cake"}
    for text, answer in (
        ("/find red large", "A large red bag."),
        ("/find size:large color:light blue", "A large light blue bag."),
        ('/find "light blue" large', "A large light blue bag."),
        ("/find color:red", "A small red bag."),
    ):
        assert await ada.send(text) == {"ok": True}
        assert (await ada.last())["text"] == answer
    assert "error" in await ada.send("/bag banana")
    known = (await ada.state())["commands"]
    assert {"name": "/bag", "usage": "[number]", "about": "Dream one bag."} in known
    assert {"name": "!morph", "usage": "<number>", "about": "An animation."} in known


@pytest.mark.parametrize(
    ("text", "completions"),
    [
        ("/find ", {"Red": "/find red", "Green": "/find green", "Light Blue": '/find "light blue"'}),
        ("/find gr", {"Green": "/find green"}),
        ("/find color:gr", {"Green": "/find color:green"}),
        ('/find "light b', {"Light Blue": '/find "light blue"'}),
        ("/find red ", {"small": "/find red small", "large": "/find red large"}),
        ("/find size:large color:re", {"Red": "/find size:large color:red"}),
        ("/find red small x", {}),
        ("/find size:large color:light b", {"Light Blue": '/find size:large color:"light blue"'}),
        ("/find", {}),
        ("/bag 4", {}),
        ("!find gr", {}),
        ("/nothing ", {}),
    ],
)
async def test_options_of_slash_commands_are_completed(ada, text, completions):
    answer = await ada.act(do="complete", text=text)
    assert {each["name"]: each["text"] for each in answer["completions"]} == completions


async def test_a_form_is_shown_filled_in_and_submitted(ada, ben):
    await ada.send("!ask")
    message = await ada.last()
    form = (await ada.click(message, "wish"))["form"]
    assert form["title"] == "A wish"
    (field,) = form["fields"]
    assert (field["label"], field["value"], field["most"]) == ("What shall I dream?", "a tote", 20)
    for wish, error in (("x" * 21, "At most 20 characters, please."), ("", "Something is still missing.")):
        assert (await ada.act(do="submit", form=form["id"], values={"what": wish}))["error"] == error
    assert (await ada.act(do="submit", form=form["id"], values={"what": "a clutch"})) == {"ok": True}
    assert (await ada.last())["text"] == "You wish for a clutch."
    assert "gone" in (await ada.act(do="submit", form=form["id"], values={"what": "more"}))["error"]


async def test_apps_on_a_message(ada, ben):
    assert (await ada.state())["menus"] == ["Count the letters"]
    await ben.send("hello")
    message = next(one for one in await ada.messages() if one["text"] == "hello")
    assert await ada.act(do="menu", message=message["id"], name="Count the letters") == {"ok": True}
    answer = await ada.last()
    assert (answer["text"], answer["ephemeral"]) == ("5 letters", True)
    assert not (await ada.act(do="menu", message=message["id"], name="Eat it"))["ok"]


async def test_a_choice_of_two_says_how_many_it_wants(ada):
    await ada.send("!ask")
    message = await ada.last()
    one = await ada.act(do="select", message=message["id"], custom_id="two", values=["one"])
    assert one["error"] == "Choose 2."
    assert await ada.act(do="select", message=message["id"], custom_id="two", values=["one", "two"]) == {
        "ok": True
    }
    assert (await ada.last())["text"] == "You chose one and two."


async def test_what_cannot_be_done_is_told_in_words(ada, ben):
    await ada.send("!bag 1")
    message = await ada.last()
    assert (await ben.click(message, "off"))["error"] == "That is switched off."
    assert (await ben.click(message, "never"))["error"] == "That is no longer there."
    assert (await ben.act(do="click", message="1", custom_id="off"))["error"] == "That message is gone."
    assert (await ben.send("x", channel="12"))["error"] == "That channel is gone."
    assert "2000" in (await ben.send("x" * 2001))["error"]
    assert not (await ben.act(do="fly"))["ok"]
    await ada.send("!mute")
    assert "did not answer" in (await ben.click(await ada.last(), "nobody"))["error"]


async def test_the_bot_can_be_talked_to_in_private(ada, ben):
    await ada.send("!whisper hush")
    private = (await ada.state())["channels"][-1]
    assert (private["name"], private["private"]) == ("Bag Dreams", True)
    assert "psst: hush" in private["told"]
    assert not [channel for channel in (await ben.state())["channels"] if channel["private"]]
    assert await ben.messages(private["id"]) == []
    message = await ada.last(private["id"])
    assert (await ada.act(do="click", channel=private["id"], message=message["id"], custom_id="keep:3"))["ok"]
    assert await ada.send("!shape", channel=private["id"]) == {"ok": True}
    menu = await ada.last(private["id"])
    chosen = {"message": menu["id"], "custom_id": "choose", "values": ["tote"]}
    assert (await ada.act(do="select", channel=private["id"], **chosen))["ok"]
    assert await ada.send("/bag 3", channel=private["id"]) == {"ok": True}
    assert "toy-3" in (await ada.last(private["id"]))["embeds"][0]["title"]
    assert not (await ben.send("hello?", channel=private["id"]))["ok"]


async def test_old_messages_are_let_go(chat, toy, ada):
    await ada.send("!bag 1")
    message = await ada.last()
    channel = toy.get_channel(chat.channel_id)
    for number in range(1050):
        await channel.send(f"line {number}")
    while (await ada.click(message, "vote:1:1")).get("error") != "That message is gone.":
        await asyncio.sleep(0.05)
    assert (await ada.last())["text"] == "line 1049"


async def test_threads_are_listed_and_their_messages_read(ada, ben):
    await ada.send("!thread Run 1")
    assert (await ada.last())["thread"]["name"] == "Run 1"
    channels = (await ben.state())["channels"]
    assert [(channel["name"], channel["thread"]) for channel in channels] == [
        ("bag-dreams", False),
        ("Run 1", True),
    ]
    inside = await ben.messages(channels[1]["id"])
    assert [message["text"] for message in inside] == ["Epoch 1"]
    assert inside[0]["attachments"][0]["alt"] == "A drawn bag, number 5"
    await ben.send("pretty!", channel=channels[1]["id"])
    assert (await ada.last(channels[1]["id"]))["author"]["name"] == "Ben"


async def test_the_socket_tells_what_the_bot_posts_by_itself(chat, toy, session):
    async with session.ws_connect(f"{chat.address}/ws?as=ben") as socket:
        told = {}
        while "messages" not in told:
            message = await socket.receive_json(timeout=10)
            told[message["type"]] = message["value"]
        assert told["messages"]["fresh"]
        assert told["hello"]["me"] == "ben"
        # From a task of ours, outside of what SimCord takes for the bot's work.
        await toy.get_channel(chat.channel_id).send("epoch 3 is done")
        while (message := await socket.receive_json(timeout=10))["type"] != "messages":
            pass
        (new,) = message["value"]["new"]
        assert new["text"] == "epoch 3 is done"
        await socket.send_json({"n": 1, "do": "send", "channel": str(chat.channel_id), "text": "hooray"})
        while (message := await socket.receive_json(timeout=10))["type"] != "done":
            pass
        assert message == {"type": "done", "n": 1}
        await socket.send_str("{")
        while (message := await socket.receive_json(timeout=10))["type"] != "done":
            pass
        assert "error" in message


async def test_a_slow_command_holds_nobody_up_for_long(ada, ben):
    slow = asyncio.create_task(ada.send("!slow 3"))
    await asyncio.sleep(0.1)
    assert await ben.send("!bag 5") == {"ok": True}
    texts = [message["text"] for message in await ben.messages()]
    assert "done thinking" not in texts
    assert await slow == {"ok": True}
    while (await ben.last())["text"] != "done thinking":
        await asyncio.sleep(0.05)


async def test_old_buttons_work_after_a_restart(chat, toy, ada, ben):
    await ada.send("!bag 1")
    message = await ada.last()
    await ada.click(message, "vote:1:1")
    await chat.restart(type(toy)(toy.ballots))
    assert await ben.click(message, "vote:1:1") == {"ok": True}
    assert label(await ada.last(), "vote:1:1") == "2"


async def test_other_pages_are_refused(chat, session):
    for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        async with session.get(f"{chat.address}/state", headers=headers) as answer:
            assert answer.status == 403
    async with session.get(f"{chat.address}/state?as=mallory") as answer:
        assert answer.status == 400
    for path in ("/cdn/attachments/1/2/none.png", "/chat.py", "/cdn/../chat.py"):
        async with session.get(URL(chat.address + path, encoded=True)) as answer:
            assert answer.status == 404
    async with session.post(f"{chat.address}/act", data="{") as answer:
        assert answer.status == 400


async def test_a_taken_port_is_an_os_error(chat, toy):
    with pytest.raises(OSError, match="address already in use"):
        async with Chat(type(toy)(), port=int(chat.address.rsplit(":", 1)[1])):
            pass


@pytest.mark.slow
async def test_every_one_of_200_actions_succeeds_while_grids_are_posted(chat, toy, ada, ben):
    """None lost, refused or wedged, though two people hurry and a plain task posts all the while."""
    channel = toy.get_channel(chat.channel_id)
    posted = 0

    async def post():
        nonlocal posted
        started = await (await channel.send("A run")).create_thread(name="Run")
        while True:
            grid = io.BytesIO()
            Image.new("RGB", (128, 128), "pink").save(grid, "PNG")
            grid.seek(0)
            await started.send(
                f"Epoch {posted + 1}", file=discord.File(grid, "grid.png", description="a grid")
            )
            posted += 1
            await asyncio.sleep(0.02)

    await ada.send("!bag 9")
    target = await ada.last()
    poster = asyncio.create_task(post())
    choose = random.Random(1)

    async def one(index):
        await asyncio.sleep(choose.random() * 3)
        person = (ada, ben)[index % 2]
        if index % 4 == 3:
            return await person.send(f"hello {index}")
        if index % 4 == 2:
            return await person.send(f"!bag {index}")
        return await person.click(target, f"vote:9:{choose.randrange(2)}")

    answers = await asyncio.gather(*(one(index) for index in range(200)))
    poster.cancel()
    assert [answer for answer in answers if answer != {"ok": True}] == []
    assert posted > 10
    channels = (await ada.state())["channels"]
    everything = await ada.messages(channels[1]["id"])
    assert everything[-1]["text"] == f"Epoch {posted}"
    assert len(toy.ballots[9]) == 2
    texts = [message.content for message in toy.cached_messages if message.channel.id == channel.id]
    assert {f"hello {index}" for index in range(3, 200, 4)} <= set(texts)
