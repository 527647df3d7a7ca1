"""`!bag progress`: the run now, with curves and the timelapse so far."""

from io import BytesIO

from PIL import Image

from gan import events
from gan.run import Run
from tests.bot.world import begin_run, end_epoch, finish_run, make_generator

LIMIT = 8 * 2**20


def measured(run, number):
    """The events of an epoch whose quality was measured."""
    end_epoch(run, number)
    (epoch,) = [event for event in events.read(run.path)[0] if isinstance(event, events.Epoch)][-1:]
    events.append(run.path, epoch.model_copy(update={"kid": 300.0 / number}))


def shown_by(world):
    """The newest message that shows a run: the bot tells of new runs in the same channel by itself."""
    return [message for message in world.channel.history() if message.embeds and message.components][-1]


def film_of(world):
    """The newest timelapse."""
    found = [file for message in world.channel.history() for file in message.attachments]
    return [file for file in found if file.filename == "timelapse.gif"][-1]


def new_run(world, name="2027-01-01-0000"):
    run = Run(world.folder / "runs" / name)
    begin_run(run)
    make_generator(run, seed=1)
    return run


async def test_it_shows_grid_and_curves_in_prefix_and_slash_form(server):
    async with server() as world:
        run = new_run(world)
        for number in (1, 2):
            measured(run, number)
        await world.ada.send(world.channel, "!bag progress")
        mine = shown_by(world)
        result = await world.ben.slash(world.channel, "bag progress")
        for shown in (mine, result.response.message):
            assert [file.filename for file in shown.attachments] == ["grid.png", "losses.png", "quality.png"]
            assert all(file.description for file in shown.attachments)
            assert "Epoch 2" in shown.embeds[0].description
            for file in shown.attachments:
                Image.open(BytesIO(await file.read())).load()


async def test_it_follows_the_run_in_the_same_message_after_a_restart(server):
    async with server() as world:
        run = new_run(world)
        await world.ada.send(world.channel, "!bag progress")
        shown = shown_by(world)
        assert not shown.attachments
        end_epoch(run, 1)
        await world.restart()
        await world.ben.click(shown, custom_id="bag:progress")
        now = world.now(shown)
        assert "Epoch 1" in now.embeds[0].description
        assert [file.filename for file in now.attachments] == ["grid.png", "losses.png"]
        end_epoch(run, 2)
        finish_run(run, 2)
        await world.ben.click(now, custom_id="bag:progress")
        now = world.now(shown)
        assert "Epoch 2" in now.embeds[0].description
        assert len(now.attachments) == 2
        fields = {field.name: field.value for field in now.embeds[0].fields}
        assert fields["State"] == "done"


async def test_the_timelapse_so_far_while_it_runs_and_after(server):
    async with server() as world:
        run = new_run(world)
        for number in (1, 2, 3):
            end_epoch(run, number)
        await world.ada.send(world.channel, "!bag progress")
        shown = shown_by(world)
        await world.restart()
        for epochs in (3, 4):
            await world.ben.click(shown, custom_id=f"bag:timelapse:{run.name}")
            file = film_of(world)
            film = Image.open(BytesIO(await file.read()))
            assert film.is_animated
            assert file.size <= LIMIT
            assert f"{epochs} epochs" in file.description
            end_epoch(run, 4)
            finish_run(run, 4)


async def test_a_run_without_grids_or_gone_is_told_in_private(server):
    async with server() as world:
        run = new_run(world)
        await world.ada.send(world.channel, "!bag progress")
        result = await world.ada.click(shown_by(world), custom_id=f"bag:timelapse:{run.name}")
        assert not result.followups or result.ephemeral or result.followups[0].ephemeral
        for path in sorted(run.path.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        result = await world.ada.click(shown_by(world), custom_id=f"bag:timelapse:{run.name}")
        assert result.ephemeral
        assert "hasn't drawn a grid" in result.response.content
