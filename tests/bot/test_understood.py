"""What people type almost right is understood, or they are told the command that is nearest."""

import pytest

UNDERSTOOD = [
    *(
        ("breed", f"breed {said}")
        for said in ("42, 7", "42,7", "#42 #7", "42 and 7", "42; 7", "`42`, `7`", "42 → 7")
    ),
    *(("interpolate", f"{said} 8") for said in ("morph 42, 7,", "Interpolate 42,7,", "morph #42 & 7")),
    *(("vote", f"vote {said}") for said in ("42, 7", "42,7", "42 AND 7", "#42, #7,")),
    *(("42", said) for said in ("#42", "42.", "“42”", "`42`", "(42)", "DREAM 42", "dream #42", "dreams 42")),
    *(("42", said) for said in ("4,294,967,295", "1,000.")),
    *(("variations", f"{name} #42") for name in ("variation", "Variations", "VARY")),
    *(("favorites", name) for name in ("favourites", "favorite", "Favourite")),
    *(("top", f"top {period}") for period in ("weekly", "Week", "MONTH", "this week", "all time", "ever")),
]


def shown(world):
    """Of which command the newest answer is, by its looks."""
    message = world.last
    titles = [embed.title for embed in message.embeds if embed.title]
    title = titles[0] if titles else message.content
    kinds = {
        "breed": "Children of",
        "interpolate": "**",
        "vote": "Vote ",
        "42": "Bag ",
        "variations": "Variations of",
        "favorites": "Favorites",
        "top": "The bags you love",
    }
    return next((kind for kind, begin in kinds.items() if title.startswith(begin)), title)


async def test_what_is_almost_right_is_understood(server):
    async with server() as world:
        await world.ada.send(world.channel, "!bag 42")
        card, code = world.last, world.code
        await world.ada.click(card, custom_id=f"bag:up:{code}")
        await world.ada.click(card, custom_id=f"bag:save:{code}")
        for expected, typed in UNDERSTOOD:
            await world.ada.send(world.channel, f"!bag {typed}")
            assert shown(world) == expected, (typed, world.whispers(world.ada))
        assert not world.whispers(world.ada)
        await world.ada.send(world.channel, "!bag train STOP")
        assert world.whispers(world.ada) == ["No training run is in progress."]


async def test_by_slash_too(server):
    async with server() as world:
        for command, options in (
            ("vote", {"designs": "42, 7"}),
            ("breed", {"a": "#42,", "b": "“7”"}),
            ("dream", {"code": "dream 42"}),
            ("variations", {"code": "#42"}),
        ):
            before = len(world.channel.history())
            await world.ada.slash(world.channel, f"bag {command}", **options)
            assert len(world.channel.history()) == before + 1, command
        found = await world.ada.autocomplete(world.channel, "bag dream", "code", "#42")
        assert found[0]["value"].endswith("-42")


@pytest.mark.parametrize("form", ["prefix", "slash"])
async def test_a_slip_is_told_the_nearest_command(server, form):
    async with server() as world:
        for typed, command in (
            *(
                ("favrites", "favorites"),
                ("gird 9", "grid 9"),
                ("fav", "favorites"),
                ("interpolat 42 7", "interpolate 42 7"),
            ),
            *(
                ("weekly", "top week"),
                ("Week", "top week"),
                ("tpo", "top"),
                ("hepl", "help"),
                ("stup", "setup"),
            ),
            *(
                ("Progres", "progress"),
                ("trian start", "train start"),
                ("vots 1 2", "vote 1 2"),
                ("shwo 42", "show 42"),
            ),
        ):
            if form == "prefix":
                await world.ben.send(world.channel, f"!bag {typed}")
                told, mark = world.whispers(world.ben)[-1], "!"
            else:
                result = await world.ben.slash(world.channel, "bag dream", code=typed)
                told, mark = result.response.content, "/"
            assert f"Did you mean `{mark}bag {command}`?" in told, (typed, told)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("42 7", "`!bag breed 42 7`"),
        ("42, #7, 9", "`!bag vote 42 7`"),
        ("help favrites", "`!bag help favorites`"),
        ("help trainin", "`!bag help training`"),
        ("top mnth", "`!bag top month`"),
        ("top century", "`!bag top"),
        ("banana", "not a bag I know. Give me a seed"),
        ("", None),
    ],
)
async def test_what_is_not_understood_is_told_what_is(server, typed, told):
    async with server() as world:
        await world.ben.send(world.channel, f"!bag {typed}")
        assert (told in world.whispers(world.ben)[0]) if told else not world.whispers(world.ben)


async def test_a_slip_is_told_before_there_is_a_generator(server):
    async with server(generator=False) as world:
        await world.ben.send(world.channel, "!bag favrites")
        assert "`!bag favorites`" in world.whispers(world.ben)[0]
