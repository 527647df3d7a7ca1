"""Whatever people type, in whatever command: one answer, no traceback, and nobody is pinged."""

import asyncio
import base64
import contextlib

import discord
import pytest
from discord import app_commands
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bot.world import VOCABULARY

TYPED, LONGEST = 2000, 4000
"""Characters of a message, and of an option of a slash command."""
UNTOUCHED = {"train start", "train stop", "scrape"}
"""What an admin would really start; everybody else is refused, and tries it here."""

PIXEL = base64.b64decode(
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""The smallest PNG."""
NASTY = [
    "@everyone",
    "@here",
    "<@1>",
    "<@!123456789012345678>",
    "<@&1>",
    "<#1>",
    "</bag:1>",
    "<t:0:R>",
    "https://discord.com/channels/1/2/3",
    "||spoiler||",
    "```py\n",
    "`",
    "**",
    "> ",
    "# ",
    "[a](https://example.com)",
    "\u202e",
    "\u200b",
    "\u200d",
    "\ufeff",
    "\x00",
    "\x1b[31m",
    "\r\n",
    "'",
    '"',
    "“",
    "\\",
    "'; DROP TABLE votes; --",
    "../../etc/passwd",
    "{0} %s ${HOME}",
    "-1",
    "0",
    "17",
    "1e999",
    "NaN",
    "4294967296",
    "9" * 30,
    "٣",
    "k3f9x2-1",
    "red",
    "42-red-tote",
    "a" * 8 + "-" + "9" * 10,
    "me",
    "start",
    "none",
    "reset",
    "zone",
    "مرحبا",
    "👩‍👩‍👧‍👦",
    "𒐫" * 20,
    "e" + "\u0301" * 60,
]
words = st.one_of(st.sampled_from(NASTY), st.text(min_size=1, max_size=12), st.integers().map(str))
long = st.builds(lambda word, times: (word * times)[:LONGEST], words, st.integers(500, LONGEST))
typed = st.one_of(st.lists(words, max_size=6).map(" ".join), st.lists(words, max_size=4).map("".join), long)


class Arena:
    """One server for all examples."""

    def __init__(self, world, caplog):
        self.world = world
        self.caplog = caplog
        self.seen = 0
        bot = world.env.bot
        group = bot.get_command("bag")
        self.typed = ["", *(command.qualified_name.removeprefix("bag ") for command in group.walk_commands())]
        self.slashed = {
            command.qualified_name: command
            for command in bot.tree.walk_commands()
            if isinstance(command, app_commands.Command)
        }

    @property
    def places(self):
        backend = self.world.env.backend
        people = (self.world.ada, self.world.ben)
        return [self.world.channel.id, *(backend.get_dm_channel(person.id).id for person in people)]

    def clean(self):
        """Forget the last example, so that each costs the same."""
        for place in self.places:
            self.world.env.backend.messages[place].clear()
        self.caplog.clear()
        self.seen = len(self.world.env.http_requests)

    def said(self):
        """What the bot has said since: in the channel and in private."""
        messages = self.world.env.backend.messages
        bot = self.world.env.bot.user.id
        return [
            message
            for place in self.places
            for message in messages[place].values()
            if message.author_id == bot
        ]

    def check(self, asked):
        """One answer that pings nobody, and a log without a traceback."""
        said = self.said()
        assert len(said) == 1, (asked, [message.content for message in said])
        assert len(said[0].content) <= 2000
        assert not said[0].mention_everyone
        assert [*said[0].ping_user_ids, *said[0].ping_role_ids] == []
        assert not [record.getMessage() for record in self.caplog.records if record.exc_info], asked
        for request in self.world.env.http_requests[self.seen :]:
            body = (request.json or {}).get("data", request.json or {}) if request.method == "POST" else {}
            if isinstance(body, dict) and body.get("content"):
                allowed = body["allowed_mentions"]
                assert (allowed["parse"], allowed.get("replied_user", False)) == ([], False), asked

    async def type(self, admin, private, command, text):
        # `train` and then "start" is typed as well as `train start`.
        asked = " ".join(f"{command} {text}".lower().split()) + " "
        starts = any(asked.startswith(f"{name} ") for name in UNTOUCHED)
        person = self.world.ada if admin and not starts else self.world.ben
        self.clean()
        content = f"!bag {command} {text}"[:TYPED]
        if private:
            await person.send_dm(content)
        else:
            await person.send(self.world.channel, content)
        self.check(content)

    async def slash(self, admin, private, name, options):
        person = self.world.ada if admin and name.removeprefix("bag ") not in UNTOUCHED else self.world.ben
        self.clean()
        if private:
            result = await person.user.slash(name, **options)
        else:
            result = await person.slash(self.world.channel, name, **options)
        assert result.acknowledged
        self.check((name, options))

    async def suggest(self, name, option, text):
        self.clean()
        choices = await self.world.ben.autocomplete(self.world.channel, name, option, text)
        assert len(choices) <= 25
        assert all(1 <= len(choice["name"]) <= 100 for choice in choices)
        assert not self.said()
        assert not [record for record in self.caplog.records if record.exc_info]


def values(parameter, world):
    """Anything that Discord's client lets somebody choose or type for a parameter of a slash command."""
    kinds = discord.AppCommandOptionType
    if parameter.choices:
        return st.sampled_from([choice.value for choice in parameter.choices])
    low = parameter.min_value if parameter.min_value is not None else -(2**53) + 1
    high = parameter.max_value if parameter.max_value is not None else 2**53 - 1
    return {
        kinds.string: typed.filter(bool),
        kinds.integer: st.integers(int(low), int(high)),
        kinds.number: st.floats(low, high),
        kinds.boolean: st.booleans(),
        kinds.user: st.sampled_from([world.ada, world.ben]),
        kinds.channel: st.just(world.channel),
        kinds.attachment: st.tuples(
            st.sampled_from(["bag.png", "bag.heic", "bag", "…".join("ab")]),
            st.binary(min_size=1, max_size=64) | st.just(PIXEL),
        ),
    }[parameter.type]


@st.composite
def slashes(draw, arena):
    name, command = draw(st.sampled_from(sorted(arena.slashed.items())))
    options = {
        parameter.display_name: draw(values(parameter, arena.world))
        for parameter in command.parameters
        if parameter.required or draw(st.booleans())
    }
    return name, options


@contextlib.contextmanager
def arena(server, caplog):
    """An arena, and how to run something in it: a server is opened once and not for every example."""
    ready, stop = asyncio.Queue(), asyncio.Event()

    async def host():
        async with server("vote_minutes = 10000", vocabulary=VOCABULARY) as world:
            await ready.put(world)
            await stop.wait()

    async def hosted():
        return asyncio.create_task(host())

    with asyncio.Runner() as runner:
        hosting = runner.run(hosted())
        world = runner.run(ready.get())
        yield Arena(world, caplog), runner.run
        stop.set()
        runner.run(asyncio.wait_for(hosting, 60))


def drive(server, caplog, examples):
    many = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    with arena(server, caplog) as (there, run):

        @many
        @given(st.booleans(), st.booleans(), st.sampled_from(there.typed), typed)
        def prefix(admin, private, command, text):
            run(there.type(admin, private, command, text))

        @many
        @given(st.booleans(), st.booleans(), slashes(there))
        def slash(admin, private, asked):
            run(there.slash(admin, private, *asked))

        suggested = [
            (name, parameter.display_name)
            for name, command in there.slashed.items()
            for parameter in command.parameters
            if parameter.autocomplete
        ]

        @many
        @given(st.sampled_from(suggested), typed)
        def suggest(option, text):
            run(there.suggest(*option, text))

        prefix()
        slash()
        suggest()


def test_whatever_is_typed_gets_one_answer(server, caplog):
    drive(server, caplog, 40)


@pytest.mark.slow
def test_whatever_is_typed_gets_one_answer_at_length(server, caplog):
    drive(server, caplog, 300)


def test_every_command_answers_once_to_the_worst(server, caplog):
    with arena(server, caplog) as (there, run):
        for command in there.typed:
            run(there.type(True, False, command, ""))
            run(there.type(True, False, command, "@everyone <@1> <@&2> " + "\u202e`" * 200))
            run(there.type(False, False, command, "9" * 1900))
            run(there.type(False, True, command, "@everyone"))
