"""How often, how large, and where: what the bot does not do, and how it says so."""

import re
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import discord
import pytest
from sqlalchemy.exc import OperationalError

import bot
from bot.client.cooldowns import Cooldowns
from bot.errors import Refusal
from bot.features.card import MAX_UPLOAD, attach
from bot.settings import Settings

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def allowed(limits, person, server, seconds):
    try:
        limits.spend(person, server, NOON + timedelta(seconds=seconds))
    except Refusal:
        return False
    return True


def test_one_server_keeps_no_other_waiting():
    limits = Cooldowns(Settings(cooldown_seconds=0, server_per_minute=3))
    assert [allowed(limits, person, 7, 0) for person in range(5)] == [True] * 3 + [False] * 2
    assert allowed(limits, 1, 8, 0)
    assert not allowed(limits, 1, 7, 59)
    assert allowed(limits, 1, 7, 61)
    # In private messages everybody is a server of their own.
    assert [allowed(limits, 1, 0, 0) for _ in range(4)] == [True] * 3 + [False]
    assert allowed(limits, 2, 0, 0)


def test_one_person_keeps_nobody_waiting():
    limits = Cooldowns(Settings(cooldown_seconds=2, server_per_minute=0))
    assert [allowed(limits, 1, 7, second) for second in (0, 1, 2.5)] == [True, False, True]
    assert allowed(limits, 2, 7, 0)


async def test_who_asks_too_fast_is_told_how_long_to_wait(server, monkeypatch):
    monkeypatch.setenv("BOT_COOLDOWN_SECONDS", "30")
    async with server() as world:
        await world.ben.send(world.channel, "!bag help")
        await world.ben.send(world.channel, "!bag help")
        assert len(world.channel.history()) == 3
        assert "One moment" in world.whispers(world.ben)[0]
        result = await world.ben.slash(world.channel, "bag help")
        assert result.ephemeral
        assert "One moment" in result.response.content


async def test_a_server_that_asks_too_much_is_told_so(server, monkeypatch):
    monkeypatch.setenv("BOT_SERVER_PER_MINUTE", "3")
    async with server() as world:
        for person in (world.ada, world.ben, world.ada):
            await person.send(world.channel, "!bag 42")
        bag = world.last
        await world.ben.send(world.channel, "!bag 42")
        assert "used up its requests" in world.whispers(world.ben)[0]
        pressed = await world.ben.click(bag, custom_id="bag:again")
        assert pressed.ephemeral
        assert "used up its requests" in pressed.response.content
        # Votes are not drawings.
        code = bag.embeds[0].title.split()[-1]
        await world.ben.click(bag, custom_id=f"bag:up:{code}")
        assert (await world.app.store.tally(code)).up == 1


def test_a_file_that_is_too_large_is_a_kind_word():
    assert attach("bag.png", bytes(MAX_UPLOAD), "a bag").filename == "bag.png"
    with pytest.raises(Refusal, match=r"`bag\.png` is too large to send: 8\.0 MiB"):
        attach("bag.png", bytes(MAX_UPLOAD + 1), "a bag")


def test_every_file_passes_the_place_that_looks_at_its_size():
    package = Path(bot.__file__).parent
    makers = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"\bdiscord\.File\(", path.read_text("utf-8"))
    ]
    assert makers == ["features/card.py"]


async def test_a_picture_that_grew_too_large_is_told_in_private(server, monkeypatch):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        bag = world.last
        monkeypatch.setattr("bot.features.card.MAX_UPLOAD", 100)
        await world.ben.send(world.channel, "!bag 42")
        assert "too large to send" in world.whispers(world.ben)[0]
        for result in (
            await world.ben.slash(world.channel, "bag grid", count=4),
            await world.ben.slash(world.channel, "bag progress"),
            await world.ben.click(bag, custom_id="bag:again"),
        ):
            told = [message for message in (result.response, *result.followups) if message is not None]
            assert all(message.ephemeral for message in told)
            said = [*world.whispers(world.ben)[1:], *(message.content for message in told)]
            assert "too large to send" in said[-1]
        assert world.last.content == "!bag 42"  # nothing in public


COMMANDS = ["", "grid 4", "interpolate 1 2", "vote", "top", "favorites", "progress", "help", "setup"]


@pytest.mark.parametrize("lost", ["send_messages", "attach_files", "embed_links"])
async def test_permissions_lost_in_mid_life_are_named_in_private_for_every_command(server, lost):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        await world.ada.click(world.last, custom_id=f"bag:up:{world.code}")
        await world.allow(**{lost: False})
        await deny(world, lost)
        for number, command in enumerate(COMMANDS, 1):
            said = await world.ada.send(world.channel, f"!bag {command}")
            assert world.last.id == said.id  # nothing but the command itself
            whispers = world.whispers(world.ada)
            assert len(whispers) == number
            assert lost.replace("_", " ").title() in whispers[-1]
        await world.allow(**{lost: True})
        await deny(world, lost, None)
        await world.ada.send(world.channel, "!bag 42")
        assert world.last.attachments


async def test_without_the_history_it_answers_all_the_same(server):
    async with server() as world:
        await world.allow(read_message_history=False)
        await deny(world, "read_message_history")
        await world.ada.send(world.channel, "!bag 42")
        assert world.last.attachments
        assert world.last.reference is None


async def test_in_a_thread_it_needs_what_threads_need(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        message = world.env.bot.get_channel(world.channel.id).get_partial_message(world.last.id)
        await message.create_thread(name="bags")
        await world.env.settle()
        (thread,) = world.channel.threads
        await world.ada.send(thread, "!bag 7")
        assert thread.last_message.attachments
        await world.allow(send_messages_in_threads=False)
        await deny(world, "send_messages_in_threads")
        # Who may not speak there may still be spoken to.
        role = world.guild.create_role("Speakers", permissions=discord.Permissions.all())
        cleo = world.guild.add_member(world.env.create_user("cleo"), roles=[role])
        await cleo.send(thread, "!bag 7")
        assert "Send Messages in Threads" in world.whispers(cleo)[0]


async def test_a_deleted_home_channel_silences_only_the_bots_own_posts(server):
    async with server() as world:
        other = world.guild.create_text_channel("general")
        await world.ada.send(other, f"!bag setup channel {world.channel.mention}")
        await world.env.bot.get_channel(world.channel.id).delete()
        await world.env.settle()
        assert world.env.bot.home(world.env.bot.get_guild(world.guild.id)) is None
        await world.app.announcer.say("nobody hears this")
        await world.ada.send(other, "!bag 42")
        assert other.last_message.attachments
        await world.ada.send(other, "!bag setup")
        fields = {field.name: field.value for field in other.last_message.embeds[0].fields}
        assert "no home channel" in fields["What is missing"]


@pytest.mark.parametrize(
    ("status", "told"), [(500, "Discord did not accept"), (429, "Discord did not accept")]
)
async def test_when_discord_refuses_an_answer_the_person_hears_of_it(server, status, told):
    async with server() as world:
        world.expects = discord.HTTPException
        world.env.inject_error("POST", f"/channels/{world.channel.id}/messages", status=status, times=6)
        await world.ada.send(world.channel, "!bag help")
        assert "Discord did not accept" in world.whispers(world.ada)[0]


async def test_a_person_who_can_not_be_told_anything_breaks_nothing(server, caplog):
    async with server() as world:
        world.expects = discord.HTTPException
        world.env.inject_error("POST", "/channels/*/messages", status=500, times=None)
        await world.ada.send(world.channel, "!bag help")
        assert not [record for record in caplog.records if record.exc_info and record.levelname == "ERROR"]


async def deny(world, permission, value=False):
    """In the home channel everybody, the bot as well, may not do something; None: as in the server."""
    channel = world.env.bot.get_channel(world.channel.id)
    everyone = channel.guild.default_role
    ada = channel.guild.get_member(world.ada.id) or await channel.guild.fetch_member(world.ada.id)
    overwrites = {everyone: discord.PermissionOverwrite(**{permission: value})}
    if value is False:
        overwrites[ada] = discord.PermissionOverwrite(**{permission: True})
    await channel.edit(overwrites=overwrites)
    await world.env.settle()


async def test_a_home_in_which_it_may_no_longer_post_is_no_error_and_gets_what_is_due_later(server):
    due = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    async with server() as world:
        await world.app.guilds.set_up(world.guild.id, dream_at="0 9 * * *")
        await world.allow(attach_files=False)
        await deny(world, "attach_files")
        await world.catch_up(world.app.daily, due)
        assert not world.channel.history()
        await world.allow(attach_files=True)
        await deny(world, "attach_files", None)
        await world.catch_up(world.app.daily, due + timedelta(minutes=1))
        await world.catch_up(world.app.daily, due + timedelta(minutes=2))
        (bag,) = world.channel.history()
        assert bag.attachments


async def test_a_store_that_somebody_else_holds_is_a_kind_word(server, monkeypatch, caplog):
    async def locked(*_):
        raise OperationalError("SELECT", {}, sqlite3.OperationalError("database is locked"))

    async with server() as world:
        world.expects = OperationalError
        monkeypatch.setattr(world.app.store, "favorites", locked)
        await world.ben.send(world.channel, "!bag favorites")
        result = await world.ben.slash(world.channel, "bag favorites")
        said = [result.response, *result.followups]
        told = [*world.whispers(world.ben), *(message.content for message in said if message is not None)]
        assert told == ["My database is busy right now. Please try again in a moment."] * 2
        assert not [record for record in caplog.records if record.exc_info]
