"""Everything the bot says, in one place; what only one file says (`check`, `health`, the demo) is there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from bot.formats import counted, duration, escaped, ordinal, short
from gan.events import Epoch, Failed, Finished, Started, Stopped
from gan.neighbors import NearestPhoto
from gan.seeds import SEEDS

UP, DOWN, AGAIN, SAVE, VARY, BREED = "👍", "👎", "🎲", "💾", "🔀", "💞"
GRID_MAX = 16

_COMMAND = re.compile(r"(?<![^\s`])!(bag\b(?: ([a-z]+)\b)?)")


def typed(text: str, prefix: str, slash: bool = False) -> str:
    """A text whose commands are written `!bag …`, as all are here, with them as people type them.

    That is with the bot's prefix, or as slash commands, where `!bag 42` is `/bag dream 42`.
    """

    def command(match: re.Match[str]) -> str:
        if not slash:
            return prefix + match[1]
        is_named = any(
            match[2] in (name, name.partition(" ")[0]) for names in HELP_TOPICS.values() for name in names
        )
        return f"/{match[1]}" if is_named else f"/bag dream{match[1].removeprefix('bag')}"

    return _COMMAND.sub(command, text)


# Refusals: short, kind, private --------------------------------------------------------------

NO_GENERATOR = (
    "I haven't dreamed yet: no training run has reached its first checkpoint. "
    "`!bag progress` shows how far it is; an admin can start one with `!bag train start`."
)
NO_GRIDS = "That run hasn't drawn a grid yet. The first one comes after its first epoch."
ONE_AT_A_TIME = "You are already waiting for three dreams. Let those finish first."
LONG_LINE = "Too many people are waiting for a dream right now. Please try again in a moment."
STUDIO_DOWN = "My drawing process keeps crashing. Please tell the person who runs me to check the log."
ADMINS_ONLY = "You need the *Manage Server* permission for that."
SERVER_ONLY = "That works only in a server, not in direct messages."
NO_RUN = "There is no training run yet. An admin can start one with `!bag train start`."
NO_TOP = {
    "week": f"Nobody has voted this week. Dream a bag with `!bag` and press {UP}, or see `!bag top ever`.",
    "month": f"Nobody has voted this month. Dream a bag with `!bag` and press {UP}, or see `!bag top ever`.",
    "ever": f"Nobody has voted yet. Dream a bag with `!bag` and press {UP}.",
}
BUSY_TRAINING = "A training run is already in progress. `!bag progress` shows it."
NOT_TRAINING = "No training run is in progress."
BUSY_SCRAPING = "I am already scraping for bags. `!bag scrape stop` ends it."
NOT_SCRAPING = "I am not scraping for bags right now."
POLL_OVER = "That vote has closed."
POLL_CODES = "A vote needs 2 to 4 bags: `!bag vote k3f9x2-1 k3f9x2-2`, or just `!bag vote` for four new ones."
UNEXPECTED = "Something went wrong on my side. I logged it, and nothing of yours was lost."
STORE_BUSY = "My database is busy right now. Please try again in a moment."
PLACE_GONE = "The post or channel that this belonged to is gone."
DISCORD_DOWN = "Discord did not accept my answer. Please try again in a moment."
WRONG_SHAPE = (
    "DISCORD_TOKEN is not a bot token (three parts with dots between them). "
    "Copy it from Discord's developer portal: your application, Bot, Reset Token"
)
RESET_IN_PORTAL = "Make a new one in the developer portal: your application, Bot, Reset Token"
INTENT_OFF = (
    "The Message Content intent is off, so I can't read what people type. Enable it in the developer portal: "
    "your application, Bot, Message Content Intent"
)
RESTARTING = "I am restarting. Please try again in a minute."
SECOND_BOT = "is in use by another bot that is running: end that one first"
STORE_IS_NEWER = "is from a newer version of me: upgrade me, or set another `store`"
STORE_IS_EMPTY = "does not exist yet: there is nothing to back up"
STORE_IS_OLDER = "is from an older version of me: start me once, and it is upgraded"
STORE_WITHOUT_VERSION = "has my tables and no version: restore a backup, or set another `store`"
DISK_FULL = "My disk is full, so I could not save that. Please tell the person who runs me."


def store_trouble(name: str, reason: str) -> str:
    """For whoever runs the bot, at its start and in `check`: the store can't be used."""
    return f"the store {name} {reason}"


def empty_gallery(store: str, runs: object) -> str:
    """For whoever builds a gallery of nothing."""
    return f"I found no favorites and no daily bags in {store}, and no finished run in {runs}"


def without_demo(package: str) -> str:
    """For whoever starts the bot without a token where the demo is not installed, as in a container."""
    return f"set DISCORD_TOKEN; the demo needs the package {package}: pip install 'bag-dreams[demo]'"


def would_overwrite(store: str) -> str:
    """For whoever restores a backup."""
    return f"{store} and the favorites are in use: restore over them with --force, or set other folders"


def connection_closed(code: int) -> str:
    """For whoever runs the bot: Discord's reason to refuse it, a close code of the gateway."""
    reasons = {
        4004: f"Discord refused DISCORD_TOKEN. {RESET_IN_PORTAL}.",
        4010: "Discord knows no such shard: check `shards` and `shard_ids` in config.toml",
        4011: "Discord wants more shards: set `shards` in config.toml to 0 or to a larger number",
        4012: "Discord no longer speaks with this version of discord.py: upgrade me",
        4013: "Discord knows none of my intents: upgrade me",
    }
    return reasons[code]


def unusable(reason: str) -> str:
    """For whoever runs the bot: what the database says of itself."""
    return f"can't be used ({reason}): check `store` in config.toml"


def not_a_code(text: str, version: str) -> str:
    """For `!bag banana`, and for a seed of 10^40."""
    if text.strip().isascii() and text.strip().isdigit():
        return f"Seeds go from 0 to {SEEDS - 1:,}. Try `!bag 42`."
    return (
        f"“{short(text)}” is not a bag I know. Give me a seed (`!bag 42`), a code (`!bag {version}-42`), "
        "or nothing at all (`!bag`)."
    )


def did_you_mean(text: str, command: str) -> str:
    """For `!bag favrites`; the command without `!bag`."""
    return f"“{short(text)}” is not a bag I know. Did you mean `!bag {short(command)}`?"


def unknown_word(text: str, meant: str | None, known: Mapping[str, Sequence[str]]) -> str:
    """For a word that the generator does not know, and perhaps means one; `known` are its words by facet."""
    perhaps = f" Did you mean **{escaped(meant)}**?" if meant else ""
    return f"“{short(text)}” is none of my words.{perhaps}\n{word_list(known)}"


def word_list(known: Mapping[str, Sequence[str]]) -> str:
    """A generator's words, a line for each facet."""
    return "\n".join(
        f"**{escaped(facet)}**: {short(', '.join(map(escaped, names)), 300)}"
        for facet, names in list(known.items())[:5]
    )


def two_words(reason: str) -> str:
    """For two colors at once."""
    return f"{short(reason[:1].upper() + reason[1:], 200)}."


def no_words(text: str) -> str:
    """For words said to a generator that was trained without any."""
    return (
        f"I can't dream “{short(text)}”: this generator knows no words yet, and the next training run learns "
        "them. Without words, try `!bag` or `!bag grid 9`."
    )


WORDLESS = "Words such as “red” say nothing to this generator yet: the next training run learns them."
TOO_MANY_WORDS = "Those are too many words for one code. Leave some out, and the bag chooses them itself."


def several_bags(names: Sequence[str]) -> str:
    """For `!bag 42 7`."""
    two = " ".join(names[:2])
    return f"Those are several bags. Try `!bag breed {two}`, `!bag interpolate {two}` or `!bag vote {two}`."


def unknown_generator(version: str) -> str:
    """For a code whose generator is not here."""
    return (
        f"I no longer have the generator `{version}`: I keep those whose bags got a vote or were saved. "
        "`!bag` dreams a new one."
    )


def unknown_design(code: str) -> str:
    """For the code of a bred design that is not in the store."""
    return f"I don't know a bag `{code}`: it was bred elsewhere, or mistyped. `!bag` dreams a new one."


def broken_generator(reason: str) -> str:
    """For a generator file that is truncated or damaged."""
    return f"My generator can't be read ({short(reason, 120)}). The next checkpoint will replace it."


def two_generators(a: str, b: str, hint: str) -> str:
    """For an interpolation or a breeding between designs of two generators."""
    return f"`{a}` and `{b}` come from different generators; both must come from the same one. Try `{hint}`."


ONE_BAG = "A morph needs at least two different bags, and takes up to eight: `!bag interpolate 42 7`."


def same_parent(code: str) -> str:
    """For breeding a design with itself."""
    return f"A bag bred with itself is a variation: `!bag variations {code}`."


def no_mates(code: str) -> str:
    """For 💞 under the only design of its generator."""
    return "I don't know another bag from that generator yet. Dream some: `!bag grid`."


def usage(example: str) -> str:
    """For a command with an argument missing or wrong."""
    return f"I didn't understand that. Try it like this: `{example}`"


def example(docstring: str | None) -> str:
    """How to type a command: the first example of its docstring."""
    found = re.search(r"`(![^`]+)`", docstring or "")
    return found[1] if found else "!bag help"


def summary(docstring: str) -> str:
    """What a command does: its docstring's first line, up to the examples."""
    return docstring.strip().partition("\n")[0].partition("`")[0].rstrip(": ").removesuffix(".")


def in_line(place: int) -> str:
    """To somebody who waits for a picture; place 1 is the one that is being drawn."""
    if place == 1:
        return "⏳ Yours is being dreamed right now."
    return f"⏳ Many people are dreaming at once: you are {ordinal(place)} in line."


def out_of_range(what: str, low: object, high: object) -> str:
    """For a number that is too small or too large."""
    return f"{what} must be between {low} and {high}."


def cooldown(seconds: float) -> str:
    """For somebody who asks faster than the cooldown."""
    return f"One moment, please: I can dream for you again in {max(seconds, 0.1):.1f} s."


def server_limit(seconds: float) -> str:
    """For a server in which more is asked than one server should."""
    return f"This server has used up its requests for now. Try again in {max(seconds, 0.1):.0f} s."


def missing_permissions(names: Sequence[str]) -> str:
    """For a channel where the bot may not do what it should."""
    return f"I can't do that here. I lack these permissions: {permission_names(names)}."


def permission_names(names: Sequence[str]) -> str:
    """Permissions as Discord's settings call them."""
    listed = ", ".join(name.replace("_", " ").replace("guild", "server").title() for name in names)
    return listed.replace(" In ", " in ")


def too_large(name: str, size: int, most: int) -> str:
    """For a file that Discord would not take; sizes in bytes."""
    return f"`{name}` is too large to send: {size / 2**20:.1f} MiB, and my limit is {most // 2**20} MiB."


GONE_USER = "somebody who left Discord"
NAMELESS = "somebody"


def no_favorites(whose: str | None) -> str:
    """For an empty list of favorites."""
    name = "This server" if whose is None else escaped(whose) or NAMELESS.capitalize()
    return f"{name} has no favorites yet. Press {SAVE} below a bag to save it."


def nobody_called(name: str) -> str:
    """For a name that no member has."""
    return f"Nobody here is called “{short(name)}”. Mention them, or type `!bag favorites` for everybody's."


def not_seen(code: str) -> str:
    """For `!bag show` of a design that nobody has dreamed."""
    return f"Nobody has dreamed `{code}` yet. `!bag {code}` draws it."


# Designs -------------------------------------------------------------------------------------


_ADJECTIVES = ("color", "material", "brand")
"""Facets whose words stand before that of the category, in this order; other facets stand behind them."""


def bag_of(said: Mapping[str, str], brand: bool = False) -> str:
    """What a bag is, by its words of each facet: “a red leather tote”; "" without words.

    A brand is named only where somebody said it: a dream is no product of theirs.
    """
    said = {facet: word for facet, word in said.items() if brand or facet != "brand"}
    if not said:
        return ""
    order = sorted(said, key=lambda facet: _ADJECTIVES.index(facet) if facet in _ADJECTIVES else 9)
    before = [said[facet] for facet in order if facet != "category"]
    return with_article(short(" ".join([*before, said.get("category", "bag")]), 120))


def with_article(noun: str) -> str:
    """`a tote`, `an orange one`."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"


def design_title(code: str) -> str:
    """Above a bag."""
    return f"Bag {code}"


def design_footer(epoch: int, bag: str = "") -> str:
    """Below a bag; `bag` says what it is, if its generator knows words: “a red tote”."""
    what = f"{bag}, " if bag else ""
    return f"{what}dreamed after epoch {epoch} · type !bag and the code to draw it again"


def design_alt(code: str, color: str, epoch: int, bag: str = "") -> str:
    """Alt text of a bag."""
    what = f"{bag} on white" if bag else f"{with_article(color)} one on white"
    return f"A dreamed handbag, {what}: design {code}, drawn after epoch {epoch}."


def design_words(said: Sequence[str], by_seed: Sequence[str]) -> str:
    """A design's words: those that somebody said, and those that its seed has filled in."""
    parts = [", ".join(map(escaped, said)), ", ".join(map(escaped, by_seed)) + " by its seed"]
    return " · ".join(parts[: 2 if by_seed else 1] if said else parts[1:])


def grid_title(count: int, bag: str = "") -> str:
    """Above a grid; `bag` is what was asked for: “a red tote”."""
    return (f"{count} dreams" if count > 1 else "One dream") + (f" of {bag}" if bag else "")


def grid_alt(codes: Sequence[str], bags: Sequence[str]) -> str:
    """Alt text of a numbered grid, and what each bag is, or ""."""
    listed = [f"{code} ({bag})" if bag else code for code, bag in zip(codes, bags, strict=True)]
    return f"A numbered grid of {len(codes)} dreamed handbags: {', '.join(listed)}."[:1024]


GRID_FOOTER = "pick one below to vote on it, save it or vary it, or two to breed"
SMALL_GRID_FOOTER = "a number shows one by itself, to vote on it or save it · 🔀 varies it"
MORE = "…"
PICK = "Pick a bag…"


def listing(codes: Sequence[str], notes: Sequence[str] | None = None) -> str:
    """Numbered codes, each with its note."""
    if notes is None:
        return " · ".join(f"**{i}**\N{NO-BREAK SPACE}`{code}`" for i, code in enumerate(codes, 1))
    return "\n".join(
        f"**{i}** `{code}` {note}" for i, (code, note) in enumerate(zip(codes, notes, strict=True), 1)
    )


def morph_title(stops: Sequence[object]) -> str:
    """Above an interpolation."""
    return " → ".join(map(str, stops)) + (" → …" if len(stops) > 2 else "")


def morph_alt(stops: Sequence[object], frames: int) -> str:
    """Alt text of the animation."""
    way = " turns into ".join(map(str, stops))
    return f"A looping animation of {frames} frames: the handbag {way}, and back into the first."


def strip_alt(stops: Sequence[object], steps: Sequence[str]) -> str:
    """Alt text of the strip."""
    return (
        f"{len(steps)} numbered handbags side by side, the steps through {', '.join(map(str, stops))}: "
        f"{', '.join(steps)}."
    )[:1024]


def litter_title(parents: Sequence[str]) -> str:
    """Above variations or children."""
    return f"Children of {' and '.join(parents)}" if len(parents) > 1 else f"Variations of {parents[0]}"


def origin(kind: str, seed: int, parents: Sequence[object]) -> str:
    """How a design was bred; a step's seed is how far it is from one to the other, in thousandths."""
    named = [f"`{parent}`" for parent in parents]
    if kind == "variation":
        return f"a variation of {named[0]}"
    if kind == "words":
        return f"{named[0]} in other words"
    if kind == "step":
        return f"{seed / 10:.0f}% of the way from {named[0]} to {named[-1]}"
    return f"a child of {' and '.join(named)}"


def family_title(code: str) -> str:
    """Above a family tree."""
    return f"The family of {code}"


def family_alt(code: object, parents: Mapping[Any, Sequence[object]]) -> str:
    """Alt text of a family tree, the design first."""
    lines = [
        f"{child} comes from {' and '.join(map(str, dict.fromkeys(both)))}"
        for child, both in parents.items()
        if both
    ]
    return f"The family tree of the handbag {code}, with a picture of each member: {'; '.join(lines)}."[:1024]


RESTYLES = {"color": ("🎨", "colors"), "category": ("👜", "shapes")}
"""By facet, the button that shows a bag with its other words, and what those are."""


def restyled_title(code: str, kinds: str) -> str:
    """Above the same bag in other colors or shapes."""
    return f"{code} in other {kinds}"


def children(codes: Sequence[str], most: int) -> str:
    """The children of a design, and whether there are more."""
    return " · ".join(f"`{code}`" for code in codes[:most]) + (" and more" if len(codes) > most else "")


def dreamed(at: datetime, user_id: int | None) -> str:
    """When a design was dreamed, and for whom."""
    return f"<t:{int(at.timestamp())}:R>" + (f" for <@{user_id}>" if user_id else "")


COMMUNITY = "⭐ the community"
BREED_TWO = "…or two to breed"
BREED_WITH = "Breed it with…"


def more_of(code: str) -> str:
    """Above the buttons behind “…” under a bag."""
    return f"More of {code}:"


def breed_with(code: str) -> str:
    """To the person who pressed 💞."""
    return f"{BREED} Which bag should I breed `{code}` with? For any other: `!bag breed {code} CODE`."


# Photos --------------------------------------------------------------------------------------

LIKE_MENU = "Dream a bag like this"
LIKE_WHICH = (
    "Show me a photo of a bag: attach one to `!bag like`, or reply to one with it. "
    "One bag on a plain, light background works best."
)
PHOTO_GONE = "That photo is already gone."
_PHOTO_REFUSALS = {
    "not a picture": "I can't read that as a picture. I take JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP and TIFF.",
    "animated": "That picture moves. Please show me one that stands still.",
    "too many pixels": "That picture has too many pixels for me. A smaller copy will do.",
    "too large for the memory": "That picture has too many pixels for me. A smaller copy will do.",
    "too small": "That picture is too small for me to see a bag on it.",
    "too slim": "That picture is too slim for me to see a bag on it.",
    "no bag": (
        "I can't tell a bag from its background on that photo. "
        "One bag on a plain, light background works best."
    ),
}


def photo_refused(reason: str) -> str:
    """For a photo of which no bag can be dreamed; the reason is a PictureError's."""
    return _PHOTO_REFUSALS.get(reason, "That picture is damaged, so I can't read it.")


def photo_too_large(size: int, most: int) -> str:
    """For a photo with too many bytes."""
    return f"That photo is too large: {size / 1e6:.1f} MB, and I take up to {most / 1e6:.0f} MB."


LIKENESS = "The photo, and the dream most like it."


def likeness_alt(code: str, color: str, bag: str) -> str:
    """Alt text of a photo and its dream; `bag` says what the dream is, if its generator knows words."""
    return (
        "Two pictures side by side: a photo of a bag, and the dream most like it, "
        f"{bag or with_article(f'{color} handbag')} on white: design {code}."
    )


# Votes and favorites -------------------------------------------------------------------------


def tally(up: int, down: int) -> str:
    """A design's votes."""
    return f"{UP} {up}  {DOWN} {down}"


def saved(code: str) -> str:
    """To the person who saved a design."""
    return f"{SAVE} `{code}` is now one of your favorites: `!bag favorites` shows them."


def unsaved(code: str) -> str:
    """To the person who pressed 💾 on a favorite of theirs."""
    return f"`{code}` is no longer one of your favorites. Press {SAVE} again to undo that."


def community_favorite(code: str, up: int) -> str:
    """To the channel, when a design reaches the threshold."""
    return f"⭐ `{code}` got {up} votes: the community's newest favorite!"


def poll_title(number: int) -> str:
    """Above a poll; by it the bot recognizes its message."""
    return f"Vote {number}: which bag?"


def poll_text(votes: dict[str, int], closes_at: datetime | None) -> str:
    """The standing of a poll and its deadline (None: it is closed)."""
    most = max(max(votes.values()), 1)
    deadline = f"closes <t:{int(closes_at.timestamp())}:R>" if closes_at else "is closed"
    return f"One vote per person; you can change yours. The vote {deadline}.\n" + "\n".join(
        f"**{i}** `{code}` {'▰' * round(8 * count / most)}{'▱' * (8 - round(8 * count / most))} {count}"
        for i, (code, count) in enumerate(votes.items(), 1)
    )


def poll_result(number: int, winners: Sequence[str], count: int) -> str:
    """How a poll ended; by these words the bot recognizes that it has announced it."""
    if not winners:
        return f"Vote {number}: nobody voted, so no bag won. Perhaps next time."
    votes = "1 vote" if count == 1 else f"{count} votes"
    if len(winners) > 1:
        tied = ", ".join(f"`{code}`" for code in winners)
        return f"Vote {number}: a tie between {tied} with {votes} each."
    return f"Vote {number}: 🏆 `{winners[0]}` wins with {votes}!"


TOP_TITLES = {
    "week": "The bags you love most this week",
    "month": "The bags you love most this month",
    "ever": "The bags you love most",
}
TOP_FOOTER = (
    "ranked by the lower bound of Wilson's score interval, so many votes count more than few · pick one below"
)


NEAR_COPY = (
    "It looks nearly like one of the real photos that bags are learned from, so it stays out of the hall of "
    f"fame, which is for bags that nobody has seen before. Press {VARY} to make it your own."
)


def newness(nearest: NearestPhoto | None) -> str:
    """How new a design is, beside the photo that it resembles most."""
    if nearest is None:
        return "I can't tell: the photos that bags are learned from aren't here."
    if nearest.is_copy:
        verdict = "a near copy of a real photo"
    elif nearest.distance < 0.2:
        verdict = "close to a real photo"
    elif nearest.distance < 0.3:
        verdict = "about as new as one real bag is beside the others"
    else:
        verdict = "new: further from every photo than most real bags are from each other"
    percent = round(100 * nearest.distance)
    return f"{verdict}; {percent} % away from the nearest of today's {nearest.photos:,} photos"


def hall_title(code: str) -> str:
    """Above a favorite in the hall of fame; by it the bot recognizes its post."""
    return f"⭐ Bag {code}"


def favorites_title(whose: str | None, page: int, pages: int) -> str:
    """Above a page of favorites."""
    name = "Favorites" if whose is None else f"Favorites of {escaped(whose) or NAMELESS}"
    return f"{name} · {page} of {pages}" if pages > 1 else name


# Training ------------------------------------------------------------------------------------


def run_mark(run: str) -> str:
    """How `run_begins` begins; by it the bot recognizes the message."""
    return f"🧵 A new training run begins, {run}:"


def run_begins(run: str, started: Started) -> str:
    """To the channel, when a run is first seen."""
    return (
        f"{run_mark(run)} **{started.images:,}** bags, preset `{started.preset}`, "
        f"on the {'processor' if started.device == 'cpu' else started.device.upper()}. "
        "The same 64 seeds are drawn after every epoch: watch the bags emerge in the thread."
    )


def run_thread(run: str) -> str:
    """Name of a run's thread."""
    return f"Run {run}"


def epoch_line(epoch: Epoch) -> str:
    """With an epoch's grid."""
    of = f" of {epoch.epochs}" if epoch.epochs else ""
    left = f", {duration(epoch.seconds_left)} to go" if epoch.seconds_left else ""
    return (
        f"**Epoch {epoch.epoch}**{of} · {epoch.images_seen:,} pictures seen · "
        f"{epoch.images_per_second:.0f} a second{left}"
    )


def epoch_alt(epoch: int) -> str:
    """Alt text of an epoch's grid."""
    return f"64 handbags dreamed from the same 64 seeds after epoch {epoch}, eight by eight on white."


def run_recovered(epoch: int, reason: str) -> str:
    """Above a grid, when the run went wrong before it."""
    return (
        f"↩️ Training diverged ({short(reason, 200)}); resumed from epoch {epoch} with half the learning rate."
    )


def run_ending(ending: Finished | Stopped | Failed) -> str:
    """To the run's thread at its end."""
    match ending:
        case Finished(epoch=epoch):
            return f"✨ The run is done after {epoch} epochs. This is how the bags emerged:"
        case Stopped(epoch=epoch):
            return f"⏸ The run stopped after epoch {epoch}. The next start resumes it from there."
        case Failed(reason=reason):
            return f"💔 The run failed: {short(reason, 300)}. Its last checkpoint is safe."


def timelapse_alt(epoch: int) -> str:
    """Alt text of the timelapse."""
    return f"A timelapse: 64 handbags emerge from fog over {epoch} epochs."


def child_died(what: str, code: int, last_line: str) -> str:
    """To the channel, when a child process ended by an error."""
    how = f"was killed (signal {-code})" if code < 0 else f"ended with code {code}"
    why = f": {short(last_line, 300)}" if last_line else ""
    return f"💔 My {what} {how}{why}"


TRAIN_STARTED = "🧵 Training starts. The first grid comes after the first epoch."
TRAIN_STOPPING = "⏸ The trainer finishes its batch, saves a checkpoint and stops."
SCRAPE_STARTED = "🛍️ Off to the shops. I'll tell you what I find."
SCRAPE_STOPPING = "🛍️ I leave the shops and keep what I have."


def collected(found: dict[str, int], images: int | None) -> str:
    """To the channel, after a crawl."""
    total = f" The dataset now has **{images:,}** bags." if images is not None else ""
    return f"🛍️ {_new_bags(found)}.{total}"


def scrape_stopped(found: dict[str, int]) -> str:
    """To the channel, after a crawl that somebody stopped."""
    return f"🛍️ Stopped. {_new_bags(found)}; the next crawl goes on from here."


def _new_bags(found: dict[str, int]) -> str:
    new = [f"**{count:,}** new bags from {shop}" for shop, count in found.items() if count]
    return ", ".join(new) if new else "No new bags"


def shop_problems(problems: Sequence[tuple[str, str]]) -> str:
    """To the channel: shops that could not be read, and why. One message, however bad the night was."""
    by_shop: dict[str, list[str]] = {}
    for shop, message in problems:
        by_shop.setdefault(shop, []).append(message)
    lines = [
        f"⚠️ {shop}: {short(first, 300)}" + (f" (and {counted(len(more), 'problem')} more)" if more else "")
        for shop, (first, *more) in by_shop.items()
    ]
    if len(lines) > SHOPS_TOLD:
        lines[SHOPS_TOLD - 1 :] = [f"⚠️ {counted(len(lines) - SHOPS_TOLD + 1, 'shop')} more had problems."]
    if len(problems) > min(len(by_shop), SHOPS_TOLD):
        lines.append("My log has all of them.")
    return "\n".join(lines)


SHOPS_TOLD = 5
"""Lines of problems in a message, so that it fits into Discord's 2,000 characters."""


def losses_line(loss_d: float, loss_g: float) -> str:
    """An epoch's mean losses."""
    return f"discriminator {loss_d:.3f} · generator {loss_g:.3f}"


QUALITY_ALT = "The KID, a distance between dreamed and real bags, by epoch; lower is better."
LOSSES_ALT = "The losses of the discriminator and the generator by epoch."
REFRESH, FILM = "🔄", "🎞️"


def timelapse_so_far(run: str, epoch: int) -> str:
    """With a run's timelapse."""
    return f"{FILM} Run {run} up to epoch {epoch}:"


PROGRESS_TITLE = "Training run"
STATES = {"running": "running", "finished": "done", "stopped": "stopped", "failed": "failed"}


# Setup ---------------------------------------------------------------------------------------

SETUP_TITLE = "My setup in this server"
SETUP_INTRO = (
    "Choose below, or type it: `!bag setup zone Europe/Paris`; likewise `channel`, `hall`, `hour`, `theme`, "
    "`best`, `votes` and `reset`."
)
SETUP_KEYS = {
    "channel": "Home channel",
    "hall": "Hall of fame",
    "zone": "Time zone",
    "hour": "Daily dream bag",
    "theme": "Its theme",
    "best": "Week's best",
    "votes": "Votes for a favorite",
    "reset": "Reset to the defaults",
}
SETUP_LACKS = "What is missing"
SETUP_HOME, SETUP_HALL, SETUP_HOUR = "Home channel…", "Hall of fame…", "Hour of the daily dream bag…"
SETUP_MORE, SETUP_LOOK, SETUP_RESET = "Zone, week's best, votes…", "Refresh", "Reset to the defaults"
_SETUP_VALUES = {
    "channel": "a text channel of this server that I can see, such as `#bags`, or `none`",
    "hall": "a text channel of this server that I can see, such as `#hall-of-fame`, or `none`",
    "zone": "a place such as `Europe/Paris` or `new york`, or an offset such as `UTC+2`",
    "hour": "a time of day such as `9`, `9:30` or `9 pm`, or `never`",
    "theme": "words such as `red tote`, `votes` for words that your votes like, or `none`",
    "best": "a weekday and a time such as `sun 18`, or `never`",
    "votes": "a number from 1 to 1000",
}


def setup_hour(time: str) -> str:
    """A choice of the hour of the daily dream bag, or never."""
    return f"Dream bag every day at {time}" if time != "never" else "No daily dream bag"


def setup_unknown(what: str) -> str:
    """For a setting that does not exist."""
    return f"“{short(what)}” is not a setting. I know: {', '.join(f'`{key}`' for key in SETUP_KEYS)}."


def setup_refused(what: str, value: str, meant: Sequence[str] = ()) -> str:
    """For an invalid value."""
    said = f"“{short(value)}” doesn't work: " if value else ""
    perhaps = f" Did you mean {' or '.join(f'`{name}`' for name in meant)}?" if meant else ""
    return f"{said}`!bag setup {what}` takes {_SETUP_VALUES[what]}.{perhaps}"


def home_channel(channel: int | None) -> str:
    """Where the bot posts on its own."""
    return f"<#{channel}>" if channel else "none: I post nothing on my own"


def hall_channel(channel: int | None) -> str:
    """Where favorites are shown."""
    return f"<#{channel}>" if channel else "none"


def theme(said: Sequence[str], unknown: Sequence[str], by_votes: bool) -> str:
    """The theme of daily bags: its words, and those that the present generator does not know."""
    if by_votes:
        return "each day a word that your votes like"
    waits = (
        f"✗ My present generator doesn't know {' and '.join(f'“{word}”' for word in unknown)}, "
        "so daily bags come without."
    )
    return "\n".join(filter(None, [" ".join(said), waits if unknown else ""])) or "none"


def threshold(votes: int) -> str:
    """When a design becomes the community's favorite."""
    return f"{votes} more {UP} than {DOWN}"


def local_time(zone: str, now: datetime) -> str:
    """A time zone, and the time there."""
    return f"{zone}, where it is {now:%H:%M}"


def setup_lacks(has_home: bool, lacks: dict[int, list[str]]) -> str:
    """What an admin should fix, by channel."""
    lines = [f"✗ In <#{channel}> I lack: {permission_names(names)}." for channel, names in lacks.items()]
    if not has_home:
        lines.insert(0, "✗ I have no home channel. Choose one below.")
    return "\n".join(lines) or "✓ Nothing. I have all the permissions that I need here."


def hello(channel: str) -> str:
    """The greeting in a server without a channel for the bot."""
    named = "" if channel.isdigit() else f" or make a channel **#{channel}**"
    return (
        "👜 Hello! I dream handbags: type `!bag`, or `!bag help`. I stay quiet until somebody asks. For a "
        f"dream bag every day, somebody with *Manage Server* can choose my channel with `!bag setup`{named}."
    )


# A server's and a person's own ----------------------------------------------------------------

ZIP_ALT = "A zip file with the favorites' pictures, the details of each, and an index."
NO_PRIVATE = "That is for your eyes only, but your DMs are closed. Open them, or use `/bag` instead."


def exported(number: int, so_far: int, total: int) -> str:
    """With a zip file of favorites: its number, and how many favorites have been sent so far."""
    if number == 1 and so_far == total:
        what = "The only favorite" if total == 1 else f"All {total:,} favorites"
        return f"{what} of this server, with an index."
    return f"File {number}: the newest {so_far:,} of {total:,} favorites so far."


EXPORT_REST = "I send no more files than these. The person who runs me can find all favorites on my disk."
FORGET_ASK = (
    "I can forget what I know about you, on every server: your votes, your favorites, and which dreams "
    "you asked for. This can't be undone. What you helped vote in stays a favorite of the community, "
    "without your name. Messages stay too; you can delete the ones you asked for from their menu "
    "(Apps, *Delete this dream*)."
)
FORGET_BUTTON = "Forget me"
NOT_YOURS = "That button is for somebody else."


def forgotten(votes: int, favorites: int, designs: int) -> str:
    """What was deleted about a person."""
    return (
        f"Done. I forgot {counted(votes, 'vote')}, {counted(favorites, 'favorite')} and "
        f"who asked for {counted(designs, 'dream')}."
    )


DELETE_MENU = "Delete this dream"
DELETED = "Deleted."
DELETE_WHICH = (
    "Which post? Choose *Delete this dream* from its menu (Apps), or give its link to `!bag delete`. "
    "A typed command can also be a reply to it."
)
NOT_MINE = "I can delete only my own posts, in this server."
NOT_ASKED_BY_YOU = "Only its requester, or somebody with *Manage Messages*, can delete that post."
GONE = "That post is already gone, or only you can see it: then use *Dismiss message* below it."


# Schedule ------------------------------------------------------------------------------------


def daily_title(day: date) -> str:
    """Above the daily dream bag; different every day, so the bot recognizes its post."""
    return f"Dream bag of {day:%A}, {day.day} {day:%B %Y}"


def theme_of_day(bag: str, by_votes: bool) -> str:
    """Below the title of a daily bag that has a theme."""
    return f"Today's theme{', chosen by your votes' if by_votes else ''}: {bag}."


def weekly_title(day: date) -> str:
    """Above the week's best; different every day, so the bot recognizes its post."""
    return f"The week's best, told on {day:%A}, {day.day} {day:%B %Y}"


def week_title(first: date, last: date) -> str:
    """Which week it is."""
    return f"Your favorite bags from {first.day} {first:%B} to {last.day} {last:%B}"


def weekly_note(up: int, down: int, dreamer: int | None) -> str:
    """A design's votes of the week, and the id of whoever dreamed it."""
    return tally(up, down) + (f" · dreamed by <@{dreamer}>" if dreamer else "")


# Taste ---------------------------------------------------------------------------------------

_ODDS = ((1, 10), (1, 5), (1, 4), (1, 3), (2, 5), (1, 2), (3, 5), (2, 3), (3, 4), (4, 5), (9, 10), (19, 20))


def picked(dreams: int, votes: int, chance: float) -> str:
    """Below the daily dream bag: how it was chosen, and the chance in [0, 1] that it is liked."""
    part, whole = min(_ODDS, key=lambda odds: abs(odds[0] / odds[1] - chance))
    of_yours = "your one vote" if votes == 1 else f"your {votes:,} votes"
    return (
        f"The best of {dreams:,} dreams, going by {of_yours}: "
        f"the odds that you like it are {part} in {whole}. {UP} and {DOWN} teach me."
    )


# Help ----------------------------------------------------------------------------------------

HELP_TITLE = "Bag Dreams"
HELP_INTRO = (
    "I look at bags all night and dream new ones. Every command can be typed or chosen from the slash menu. "
    "`!bag help vote` explains a topic, `!bag help grid` a command."
)
HELP_TOPICS = {
    "dream": ("bag", "grid", "like", "interpolate", "show"),
    "breed": ("variations", "breed"),
    "vote": ("vote", "top"),
    "favorites": ("favorites",),
    "training": ("progress",),
    "admins": ("setup", "train start", "train stop", "scrape", "export"),
    "more": ("delete", "forget me", "help"),
}
"""Their commands in order, as typed after `!bag`; each command's docstring says what it does."""
COMMANDS_MEANT = {"weekly": "top week", "monthly": "top month", "best": "top", "poll": "vote"}
"""Words that people type for a command of another name."""
HELP_REST = "more"
"""The topic of commands that belong to no other."""
HELP_BUTTONS = {
    "dream": {
        AGAIN: "below every bag: another one, of the same words if you said any",
        "🎨 👜": "below a bag: the same one in other colors, in other shapes",
        "🔢": "below every grid: pick one, or two to breed",
    },
    "breed": {VARY: "below every bag: four variations", BREED: "below every bag: breed it with another"},
    "vote": {
        f"{UP} {DOWN}": "below every bag: one vote per person; the other changes it, the same takes it back"
    },
    "favorites": {SAVE: "below every bag: make it a favorite of yours, or take that back"},
}
HELP_OPTIONS = "Options"
HELP_ALIASES = "Aliases"


def unknown_topic(topic: str, topics: Sequence[str], meant: str | None) -> str:
    """For help on something that is neither a topic nor a command, and perhaps means one."""
    perhaps = f" Did you mean `!bag help {meant}`?" if meant else ""
    return f"There is no help on “{short(topic)}”.{perhaps} Topics: {', '.join(topics)}."
