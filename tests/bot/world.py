"""A server with people and the bot in it, and run folders without their training."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import discord
import simcord
import torch
from PIL import Image
from simcord.backend.serializers import guild_create_payload, message_payload
from simcord.enums import ComponentType, InteractionType
from simcord.interactions import base_payload

from bot.app import App
from bot.errors import Refusal
from bot.features.daily.post import RegularPost
from bot.features.favorites.cog import FavoritesCog
from bot.features.poll import PollCog
from gan import events
from gan.generator import Shape, save_generator
from gan.run import Run
from gan.words import Facet, Vocabulary

VOCABULARY = Vocabulary(
    facets=(
        Facet(
            name="color",
            words=("black", "red", "gray", "green", "gold", "blue", "pink", "white", "brown", "beige"),
            counts=(60, 30, 29, 28, 27, 26, 25, 24, 23, 22),
        ),
        Facet(name="category", words=("tote", "clutch", "laptop bag", "backpack"), counts=(50, 40, 30, 20)),
    ),
    aliases={"grey": "gray", "shopper": "tote", "laptop": "laptop bag", "rucksack": "backpack"},
    sets=((0, 0, 40), (1, 1, 30), (2, -1, 30), (-1, 2, 20)),
)


def make_generator(
    run: Run, seed: int = 0, epoch: int = 3, vocabulary: Vocabulary | None = None, image_size: int = 32
) -> str:
    """A small untrained generator in a run folder, steered by words if it has a vocabulary; its version."""
    torch.manual_seed(seed)
    run.path.mkdir(parents=True, exist_ok=True)
    count = len(vocabulary.words) if vocabulary else 0
    shape = Shape(z_size=16, z="normal", channels=16, image_size=image_size, words=count)
    network = shape.network()
    for weights in network.parameters():
        if weights.dim() == 4:
            torch.nn.init.normal_(weights, std=0.3)  # colorful noise, and no two bags alike
    return save_generator(run.generator, network, shape, epoch, "0" * 64, vocabulary)


def begin_run(run: Run, **changes: object) -> None:
    """The events of a run's start."""
    run.grids.mkdir(parents=True, exist_ok=True)
    started = {
        "run": run.name,
        "preset": "dream",
        "device": "cpu",
        "epochs": 3,
        "epoch": 0,
        "images": 600,
        "image_size": 64,
        "dataset": "0" * 64,
    }
    events.append(run.path, events.Started(**(started | changes)))


def end_epoch(run: Run, number: int) -> None:
    """The grid and the events of an epoch's end."""
    Image.new("RGB", (64, 64), (number * 20 % 255, 80, 120)).save(run.grid(number))
    events.append(
        run.path,
        events.Epoch(
            epoch=number,
            epochs=3,
            loss_d=0.5,
            loss_g=1.5,
            images_per_second=300,
            images_seen=600 * number,
            seconds=2.0 * number,
            seconds_left=2.0 * (3 - number),
            grid=f"grids/epoch-{number:04d}.png",
        ),
    )


def finish_run(run: Run, epoch: int) -> None:
    """The pictures and the event of a run's end."""
    Image.new("P", (8, 8)).save(run.timelapse)
    Image.new("RGB", (8, 8)).save(run.losses)
    events.append(run.path, events.Finished(epoch=epoch, timelapse="timelapse.gif", losses="losses.png"))


async def until(holds: Callable[[], object], seconds: float = 300) -> None:
    """Wait for something that happens by itself."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


@dataclass
class Clock:
    """The bot's clock: the real time, unless a test sets a moment (aware)."""

    moment: datetime | None = None

    def __call__(self) -> datetime:
        """The time."""
        return self.moment or datetime.now(UTC)


@dataclass
class World:
    """A server with people and the bot in it."""

    app: App
    clock: Clock
    env: simcord.Env
    guild: simcord.GuildHandle
    channel: simcord.ChannelHandle
    ada: simcord.MemberActor
    ben: simcord.MemberActor
    folder: Path
    expects: type[Exception] = Refusal
    """An error that a test provokes."""

    @property
    def last(self) -> discord.Message:
        """The newest message in the home channel."""
        message = self.channel.last_message
        assert message is not None
        return message

    @property
    def code(self) -> str:
        """The design in the newest message."""
        title = self.last.embeds[0].title
        assert title is not None
        return title.split()[-1]

    def whispers(self, to: simcord.MemberActor) -> list[str]:
        """What the bot told somebody in private."""
        return [message.content for message in to.user.dm_channel.history() if message.author.bot]

    @property
    def polls(self) -> PollCog:
        """What closes polls."""
        cog = self.env.bot.get_cog("PollCog")
        assert isinstance(cog, PollCog)
        return cog

    async def keep(self, code: str, guild_id: int, user_id: int) -> bool:
        """Save a design for somebody."""
        cog = self.env.bot.get_cog("FavoritesCog")
        assert isinstance(cog, FavoritesCog)
        return await cog._favorites.keep(code, guild_id, user_id)

    async def catch_up(self, post: RegularPost, moment: datetime) -> None:
        """Let a regular post look at a moment (aware) at what is due."""
        before, self.clock.moment = self.clock.moment, moment
        try:
            await post.catch_up()
        finally:
            self.clock.moment = before

    def now(self, message: discord.Message) -> discord.Message:
        """A message as it is now."""
        return next(now for now in self.channel.history() if now.id == message.id)

    async def allow(self, **permissions: bool) -> None:
        """Give or take permissions of the bot's role."""
        role = self.guild.me.top_role
        changed = discord.Permissions(role.permissions.value)
        changed.update(**permissions)
        self.env.backend.edit_role(self.guild.id, role.id, {"permissions": changed.value})
        await self.env.settle()

    async def kick(self, guild: simcord.GuildHandle) -> None:
        """A server throws the bot out."""
        self.env.backend.emit("GUILD_DELETE", {"id": str(guild.id)})
        await self.env.settle()

    async def invite(self, guild: simcord.GuildHandle) -> None:
        """A server invites the bot."""
        backend = self.env.backend
        payload = dict(guild_create_payload(backend, backend.get_guild(guild.id)))
        del payload["unavailable"]  # which would tell of the end of an outage
        backend.emit("GUILD_CREATE", payload)
        await self.env.settle()

    async def more(self, person, message, custom_id):
        """Press one of the buttons behind “…” under a bag."""
        controls = [item.custom_id for row in message.components for item in row.children]
        opener = next(each for each in controls if each.startswith("bag:more:"))
        opened = await person.click(message, custom_id=opener)
        shown = opened.followups[0] if opened.followups else opened.response
        return await person.click(shown.message, custom_id=custom_id)

    async def pick(self, person, message, code):
        """Pick one of the bags in a grid: by its button, or from the list of many."""
        controls = [item.custom_id for row in message.components for item in row.children]
        if f"bag:pick:{code}" in controls:
            return await person.click(message, custom_id=f"bag:pick:{code}")
        return await person.select(message, [code], custom_id="bag:pick")

    async def restart(self) -> None:
        """The bot goes away and comes back; the store and Discord stay."""
        await self.env.restart_bot(self.app.create_bot())

    async def say(self, person: simcord.MemberActor, form: str, command: str, **options: object) -> None:
        """A command of `!bag` as a message ("prefix") or as a slash command ("slash")."""
        if form == "slash":
            await person.slash(self.channel, f"bag {command}", **options)
        else:
            said = (option.mention if hasattr(option, "mention") else option for option in options.values())
            await person.send(self.channel, " ".join(["!bag", command, *map(str, said)]))

    def click_at_once(self, message: discord.Message, clicks: Iterable[tuple[int, str]]) -> list[Any]:
        """Clicks, each (user id, custom id), that nobody waits for; SimCord's records of them."""
        backend = self.env.backend
        stored = backend.get_message(message.channel.id, message.id)
        records = []
        for user_id, custom_id in clicks:
            record, payload = base_payload(
                backend,
                type=InteractionType.MESSAGE_COMPONENT,
                channel_id=message.channel.id,
                guild_id=self.guild.id,
                user_id=user_id,
                data={"custom_id": custom_id, "component_type": ComponentType.BUTTON},
            )
            record.source_message_id = stored.id
            backend.emit("INTERACTION_CREATE", payload | {"message": dict(message_payload(backend, stored))})
            records.append(record)
        return records
