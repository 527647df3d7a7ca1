"""`!bag setup`: what the owner of a server chooses holds at once and after a restart."""

from datetime import UTC, datetime

import discord
import pytest


def fields(message):
    return {field.name: field.value for field in message.embeds[0].fields}


def rules(world):
    return world.app.guilds.rules(world.guild.id)


async def test_typed_values_hold_at_once_and_after_a_restart(server):
    async with server() as world:
        bags = world.guild.create_text_channel("bags")
        hall = world.guild.create_text_channel("hall")
        typed = (
            f"channel {bags.mention}",
            "hall #hall",
            "zone paris",
            "hour 9:30 pm",
            "best sat 18",
            "votes 7",
        )
        for words in typed:
            await world.ada.send(world.channel, f"!bag setup {words}")
        for _ in range(2):
            now = rules(world)
            assert (now.timezone, now.dream_at, now.best_at) == (
                "Europe/Paris",
                "30 21 * * *",
                "0 18 * * sat",
            )
            assert now.favorite_votes == 7
            guild = world.env.bot.get_guild(world.guild.id)
            assert (world.env.bot.home(guild).id, world.env.bot.hall(guild).id) == (bags.id, hall.id)
            await world.restart()
            await world.app.guilds.load()
        told = fields(world.last)
        assert bags.mention in told["Home channel"]
        assert "21:30" in told["Daily dream bag"]
        assert "Saturdays at 18:00" in told["Week's best"]
        assert "Europe/Paris" in told["Time zone"]

        await world.ada.send(world.channel, "!bag setup reset")
        assert rules(world).favorite_votes == 2
        assert world.channel.mention in fields(world.last)["Home channel"]


async def test_the_same_by_slash_is_seen_by_the_admin_only(server):
    async with server() as world:
        result = await world.ada.slash(world.channel, "bag setup")
        assert result.ephemeral
        assert world.channel.mention in fields(result.response.message)["Home channel"]
        for what, value in (("zone", "Asia/Tokyo"), ("hour", "never"), ("best", "fri 7 pm"), ("votes", "4")):
            result = await world.ada.slash(world.channel, "bag setup", what=what, value=value)
            assert result.ephemeral
        now = rules(world)
        assert (now.timezone, now.dream_at, now.best_at, now.favorite_votes) == (
            "Asia/Tokyo",
            "",
            "0 19 * * fri",
            4,
        )


OFFSETS = {
    "GMT+2": ("Etc/GMT-2", "UTC+2"),
    "gmt -5": ("Etc/GMT+5", "UTC-5"),
    "UTC+02:00": ("Etc/GMT-2", "UTC+2"),
    "+02:00": ("Etc/GMT-2", "UTC+2"),
    "−3": ("Etc/GMT+3", "UTC-3"),
    "UTC+5:30": ("Asia/Kolkata", "Asia/Kolkata"),
    "utc+0545": ("Asia/Kathmandu", "Asia/Kathmandu"),
    "-9:30": ("Pacific/Marquesas", "Pacific/Marquesas"),
    "GMT+0": ("UTC", "UTC"),
    "Etc/GMT+2": ("Etc/GMT+2", "UTC-2"),  # whoever knows that name knows its sign
}


async def test_an_offset_has_the_sign_that_people_give_it(server):
    async with server() as world:
        world.clock.moment = datetime(2026, 7, 1, 12, tzinfo=UTC)
        for typed, (name, shown) in OFFSETS.items():
            await world.ada.send(world.channel, f"!bag setup zone {typed}")
            assert rules(world).timezone == name, typed
            assert fields(world.last)["Time zone"].startswith(f"{shown}, "), typed
        for typed, offered in (("gmt+2", "UTC+2"), ("UTC-2", "UTC-2"), ("etc/gmt-2", "UTC+2")):
            choices = await world.ada.autocomplete(world.channel, "bag setup", "value", typed, what="zone")
            assert choices[0]["value"] == offered
        result = await world.ada.slash(world.channel, "bag setup", what="zone", value="UTC+2")
        assert fields(result.response.message)["Time zone"] == "UTC+2, where it is 14:00"


async def test_what_the_form_shows_can_be_sent_as_it_is(server, monkeypatch):
    monkeypatch.setenv("BOT_BEST_AT", "0 18 1 * *")
    async with server() as world:
        await world.ada.send(world.channel, "!bag setup zone UTC+2")
        form = await world.ada.click(world.last, custom_id="bag:setup:more")
        shown = [label["component"] for label in form.modal["components"]]
        filled = {field["custom_id"]: field["value"] for field in shown}
        assert (filled["zone"], filled["best"]) == ("UTC+2", "0 18 1 * *")
        await world.ada.submit_modal(form, filled)
        assert (rules(world).timezone, rules(world).best_at) == ("Etc/GMT-2", "0 18 1 * *")


REFUSED = [
    ("zone UTC-3:30", "`America/St_Johns`"),
    ("zone UTC+15", "`UTC+2`"),
    ("zone UTC+5:75", "`UTC+2`"),
    ("hour 0 9 30 2 *", "`9:30`"),
    ("best 0 9 30 2 *", "`sun 18`"),
    ("best 0 9 1 * " + "mon," * 30 + "mon", "`sun 18`"),
    ("zone Pariss", "`Europe/Paris`"),
    ("zone Atlantis", "`new york`"),
    ("zone", "takes a place"),
    ("hour 25", "`9:30`"),
    ("hour 9:61", "`9:30`"),
    ("hour noonish", "`9:30`"),
    ("best 18", "`sun 18`"),
    ("best someday 18", "`sun 18`"),
    ("votes 0", "from 1 to 1000"),
    ("votes -3", "from 1 to 1000"),
    ("votes 1e9", "from 1 to 1000"),
    ("votes " + "9" * 1500, "from 1 to 1000"),
    ("votes ٣", "from 1 to 1000"),
    ("channel #nowhere", "a text channel"),
    ("channel <#123456789012345678>", "a text channel"),
    ("color red", "I know: `channel`"),
]


async def test_what_can_not_be_is_refused_kindly_and_changes_nothing(server):
    async with server() as world:
        before = rules(world)
        for typed, hint in REFUSED:
            await world.ada.send(world.channel, f"!bag setup {typed}")
            whisper = world.whispers(world.ada)[-1]
            assert hint in whisper
            assert len(whisper) < 400
            what, _, value = typed.partition(" ")
            if what != "color":  # by slash there are only the settings that exist
                result = await world.ada.slash(world.channel, "bag setup", what=what, value=value)
                assert result.ephemeral
                assert hint in result.response.content
            assert rules(world) == before
        assert len(world.whispers(world.ada)) == len(REFUSED)


async def test_who_may_not_manage_the_server_may_not_set_up(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag setup")
        panel = world.last
        await world.ben.send(world.channel, "!bag setup votes 1")
        assert "Manage Server" in world.whispers(world.ben)[0]
        results = [
            await world.ben.slash(world.channel, "bag setup", what="votes", value="1"),
            await world.ben.click(panel, custom_id="bag:setup:reset"),
            await world.ben.click(panel, custom_id="bag:setup:more"),
            await world.ben.select(panel, ["08:00"], custom_id="bag:setup:hour"),
            await world.ben.select(panel, [], custom_id="bag:setup:channel"),
        ]
        assert all(result.ephemeral and "Manage Server" in result.response.content for result in results)
        assert rules(world).favorite_votes == 2
        assert world.now(panel).embeds == panel.embeds


async def test_the_panel_works_by_choosing_also_after_a_restart(server):
    async with server() as world:
        bags = world.guild.create_text_channel("bags")
        await world.ada.send(world.channel, "!bag setup")
        panel = world.last
        await world.restart()
        await world.ada.select(panel, [bags], custom_id="bag:setup:channel")
        assert rules(world).channel == str(bags.id)
        assert bags.mention in fields(world.now(panel))["Home channel"]
        await world.ada.select(panel, [bags], custom_id="bag:setup:hall")
        assert rules(world).hall == str(bags.id)
        await world.ada.select(panel, ["21:00"], custom_id="bag:setup:hour")
        assert rules(world).dream_at == "0 21 * * *"
        await world.ada.select(panel, ["never"], custom_id="bag:setup:hour")
        assert "never" in fields(world.now(panel))["Daily dream bag"]
        await world.ada.select(panel, [], custom_id="bag:setup:channel")
        assert "nothing on my own" in fields(world.now(panel))["Home channel"]
        assert world.env.bot.home(world.env.bot.get_guild(world.guild.id)) is None
        await world.ada.click(panel, custom_id="bag:setup:reset")
        assert world.channel.mention in fields(world.now(panel))["Home channel"]


async def test_the_form_works_also_when_it_is_sent_after_a_restart(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag setup")
        panel = world.last
        form = await world.ada.click(panel, custom_id="bag:setup:more")
        filled = {"zone": "new york", "best": "mon 8", "votes": "9"}
        await world.ada.submit_modal(form, filled)
        now = rules(world)
        assert (now.timezone, now.best_at, now.favorite_votes) == ("America/New_York", "0 8 * * mon", 9)
        assert "Mondays at 08:00" in fields(world.now(panel))["Week's best"]

        form = await world.ada.click(panel, custom_id="bag:setup:more")
        await world.restart()
        await world.ada.submit_modal(form, filled | {"votes": "5"})
        assert rules(world).favorite_votes == 5
        form = await world.ada.click(panel, custom_id="bag:setup:more")
        refused = await world.ada.submit_modal(form, filled | {"zone": "Atlantis", "votes": "6"})
        assert refused.ephemeral
        assert "Atlantis" in refused.response.content
        assert rules(world).favorite_votes == 5


async def test_it_says_which_permissions_are_missing_where(server):
    async with server() as world:
        mute = discord.PermissionOverwrite(attach_files=False, create_public_threads=False)
        bags = world.guild.create_text_channel("bags", overwrites={world.guild.default_role: mute})
        world.guild.create_text_channel("hall-of-fame", overwrites={world.guild.default_role: mute})
        await world.ada.send(world.channel, "!bag setup channel #bags")
        home, hall = sorted(fields(world.last)["What is missing"].splitlines(), key=len, reverse=True)
        assert home == f"✗ In {bags.mention} I lack: Attach Files, Create Public Threads."
        assert "Attach Files." in hall  # threads are for the home only
        await world.ada.send(world.channel, "!bag setup channel none")
        assert "I have no home channel" in fields(world.last)["What is missing"]


async def test_looking_again_shows_what_an_admin_has_mended(server):
    async with server() as world:
        await world.allow(manage_threads=False)
        await world.ada.send(world.channel, "!bag setup")
        panel = world.last
        assert "Manage Threads" in fields(panel)["What is missing"]
        await world.allow(manage_threads=True)
        await world.ada.click(panel, custom_id="bag:setup:look")
        assert "Nothing" in fields(world.now(panel))["What is missing"]


OFFERED = [
    ("zone", "par", "Europe/Paris"),
    ("zone", "", "Europe/London"),
    ("zone", "\u202e" * 50, None),
    ("hour", "1", "13:00"),
    ("best", "fr", "fri 18:00"),
    ("votes", "2", "12"),
    ("channel", "bag", "#bag-dreams"),
    ("hall", "NO", "none"),
    ("reset", "", None),
]


async def test_values_are_suggested_and_those_are_taken(server):
    async with server() as world:
        for what, typed, offered in OFFERED:
            choices = await world.ada.autocomplete(world.channel, "bag setup", "value", typed, what=what)
            found = {choice["name"]: choice["value"] for choice in choices}
            assert len(found) <= 25
            assert offered in found if offered else not found
            if offered:
                await world.ada.slash(world.channel, "bag setup", what=what, value=found[offered])
        assert not world.env.errors
        assert rules(world).timezone == "Europe/London"


async def test_joining_a_server_without_a_home_it_says_hello_once(server):
    async with server() as world:
        guild = world.env.create_guild("Elsewhere", owner=world.ada.user)
        silent = guild.create_text_channel(
            "rules", overwrites={guild.default_role: discord.PermissionOverwrite(send_messages=False)}
        )
        general = guild.create_text_channel("general")
        await world.kick(guild)
        await world.invite(guild)
        (hello,) = general.history()
        assert "!bag setup" in hello.content
        assert not silent.history()
        await world.restart()
        await world.env.settle()
        assert len(general.history()) == 1


async def test_joining_a_server_with_a_home_it_waits_to_be_spoken_to(server):
    async with server() as world:
        guild = world.env.create_guild("Elsewhere", owner=world.ada.user)
        general, home = guild.create_text_channel("general"), guild.create_text_channel("bag-dreams")
        await world.kick(guild)
        await world.invite(guild)
        assert not general.history()
        assert not home.history()


async def test_a_server_that_takes_the_bot_back_finds_its_choices_kept(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag setup votes 6")
        await world.ada.send(world.channel, f"!bag setup channel {world.channel.mention}")
        await world.kick(world.guild)
        before = len(world.channel.history())
        await world.app.announcer.say("Nobody hears this.")
        await world.invite(world.guild)
        assert rules(world).favorite_votes == 6
        assert len(world.channel.history()) == before  # no hello: there is a home
        await world.ada.send(world.channel, "!bag 42")
        assert world.last.attachments


def home(world):
    return world.env.bot.home(world.env.bot.get_guild(world.guild.id))


@pytest.mark.parametrize("named", ["Bag-Dreams", "bag dreams", "#bag-dreams", " #Bag Dreams "])
async def test_a_channel_is_found_however_its_name_is_written(server, named):
    async with server(f'channel = "{named}"\nhall = "{named.replace("reams", "reamers")}"') as world:
        assert home(world).id == world.channel.id
        hall = world.guild.create_text_channel("bag-dreamers")
        await world.env.settle()
        assert world.env.bot.hall(home(world).guild).id == hall.id
        await world.ada.send(world.channel, f"!bag setup hall {named}")
        assert world.channel.mention in fields(world.last)["Hall of fame"]


async def test_of_two_channels_with_the_name_it_takes_the_one_it_can_see(server):
    async with server() as world:
        hidden = discord.PermissionOverwrite(view_channel=False)
        world.guild.create_text_channel("bag-dreams", overwrites={world.guild.default_role: hidden})
        await world.env.settle()
        assert home(world).id == world.channel.id

        elsewhere = world.env.create_guild("Elsewhere", owner=world.ada.user)
        elsewhere.create_text_channel("bag-dreams", overwrites={elsewhere.default_role: hidden})
        seen = elsewhere.create_text_channel("bag-dreams")
        await world.env.settle()
        there = world.env.bot.get_guild(elsewhere.id)
        assert world.env.bot.home(there).id == seen.id
        await there.get_channel(seen.id).edit(overwrites={there.default_role: hidden})
        again = elsewhere.create_text_channel("bag-dreams")
        await world.env.settle()
        assert world.env.bot.home(there).id == again.id


async def test_a_renamed_channel_stays_the_home(server):
    async with server() as world:
        hall = world.guild.create_text_channel("hall-of-fame")
        await world.env.settle()
        for channel in (world.channel, hall):
            await world.env.bot.get_channel(channel.id).edit(name=f"the-{channel.name}")
        await world.env.settle()
        for _ in range(2):
            assert home(world).id == world.channel.id
            assert world.env.bot.hall(home(world).guild).id == hall.id
            await world.restart()
            await world.app.guilds.load()
        world.guild.create_text_channel("bag-dreams")
        await world.env.settle()
        assert home(world).id == world.channel.id
        await world.ada.send(world.channel, "!bag setup reset")  # the name counts again
        assert home(world).id != world.channel.id


async def test_a_home_that_is_deleted_makes_room_for_another_of_its_name(server):
    async with server() as world:
        await world.env.bot.get_channel(world.channel.id).delete()
        await world.env.settle()
        again = world.guild.create_text_channel("bag-dreams")
        await world.env.settle()
        assert home(world).id == again.id
        await world.restart()
        assert home(world).id == again.id
