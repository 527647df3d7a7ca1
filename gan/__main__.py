"""The command line: `python -m gan train | dream | interpolate | breed | evaluate | timelapse`."""

import secrets
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, NoReturn

import torch
import typer
from PIL import Image

from gan import animate, events, run
from gan import device as machine
from gan import generator as generators
from gan.data import Dataset, for_measuring, open_dataset
from gan.display import Display
from gan.distributed import World, join
from gan.errors import UserError, one_line, out_of_memory
from gan.files import write_atomically
from gan.generator import Generator
from gan.grid import enlarge, grid, png
from gan.launch import Launch, LaunchError, alone, prepare
from gan.run import Run
from gan.seeds import SEEDS
from gan.settings import Settings, load
from gan.train import Trainer, TrainingError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

RunName = Annotated[str | None, typer.Option("--run", help="The run's name; the newest by default.")]


@app.callback()
def configure(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("config.toml"),
) -> None:
    """Train a GAN on bag pictures, and dream new bags."""
    context.obj = config


@app.command()
def train(
    context: typer.Context,
    name: Annotated[str | None, typer.Option("--run", help="Name of the run to begin or resume.")] = None,
    preset: Annotated[str | None, typer.Option(help="dream, bag-dreams, dcgan or sagan.")] = None,
    epochs: Annotated[int | None, typer.Option(help="End after so many passes over the dataset.")] = None,
    minutes: Annotated[float | None, typer.Option(help="End after so much time of training.")] = None,
    new: Annotated[bool, typer.Option("--new", help="Begin anew instead of resuming.")] = False,
) -> None:
    """Train: resume the newest run if it is unfinished, else begin a new one.

    On several GPUs or hosts: torchrun --nproc-per-node N -m -- gan train …
    """
    asked: dict[str, object] = {}
    if preset is not None:
        asked["preset"] = preset
    if epochs is not None or minutes is not None:
        # A bound on the command line takes the place of both in the file.
        asked |= {"epochs": epochs or 0, "minutes": minutes or 0.0}
    settings = load(context.obj, **asked)
    world = join()
    try:
        dataset = open_dataset(settings.dataset)
        device = machine.choose(settings.device, world.local_rank)
        machine.use_threads(settings.threads)
        launch = world.from_first(lambda: prepare(settings, dataset, device, frozenset(asked), name, new=new))
        with alone(launch.run) if world.first else nullcontext():
            _train(launch, dataset, device, world)
    finally:
        world.leave()


@app.command()
def dream(
    context: typer.Context,
    seed: Annotated[int | None, typer.Option(help="The bag's number; by chance if not given.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many bags, from that number on.")] = 1,
    as_grid: Annotated[bool, typer.Option("--grid", help="All in one picture.")] = False,
    scale: Annotated[int, typer.Option(min=1, max=16, help="Enlarge by this factor.")] = 4,
    out: Annotated[Path | None, typer.Option(help="The picture; with --count the folder.")] = None,
    name: RunName = None,
) -> None:
    """Dream bags: one picture, a grid, or a folder of many."""
    generator = _generator(load(context.obj), name)
    first = secrets.randbelow(SEEDS - count) if seed is None else seed
    if as_grid and count == 1:
        count = 16
    seeds = range(first, first + count)
    images = generator.draw(generator.latents(seeds))
    codes = [f"{generator.version}-{number}" for number in seeds]
    if as_grid:
        columns = min(count, round(count**0.5))
        _save(out or Path(f"{codes[0]}-grid.png"), png(grid(images, columns, scale=scale)))
    elif count == 1:
        _save(out or Path(f"{codes[0]}.png"), png(enlarge(Image.fromarray(images[0]), scale)))
    else:
        folder = out or Path(f"{codes[0]}-{count}")
        folder.mkdir(parents=True, exist_ok=True)
        for code, image in zip(codes, images, strict=True):
            write_atomically(folder / f"{code}.png", png(enlarge(Image.fromarray(image), scale)))
        typer.echo(folder)


@app.command()
def interpolate(
    context: typer.Context,
    seeds: Annotated[list[int], typer.Argument(help="Two to eight bags' numbers.", metavar="A B [C…]")],
    frames: Annotated[int, typer.Option(min=2, max=600)] = 60,
    loop: Annotated[bool, typer.Option("--loop", help="Back to the first one.")] = False,
    scale: Annotated[int, typer.Option(min=1, max=16, help="Enlarge by this factor.")] = 4,
    out: Annotated[Path | None, typer.Option(help="A .gif or a .webp file.")] = None,
    name: RunName = None,
) -> None:
    """An animation from bag A to bag B, and on to others."""
    if not 2 <= len(seeds) <= 8:
        raise typer.BadParameter("give 2 to 8 numbers: A B [C…]")
    generator = _generator(load(context.obj), name)
    file = out or Path(f"{generator.version}-{'-'.join(map(str, seeds))}.gif")
    encode = {".gif": animate.encode_gif, ".webp": animate.encode_webp}.get(file.suffix.lower())
    if encode is None:
        raise typer.BadParameter(f"--out {file}: the name must end in .gif or .webp")
    pictures = animate.interpolation(generator, generator.latents(seeds), frames, loop)
    larger = [enlarge(picture, scale) for picture in pictures]
    _save(file, animate.bounded(larger, lambda fitting: encode(fitting, 60)))


@app.command()
def breed(
    context: typer.Context,
    a: Annotated[int, typer.Argument(help="One parent's number.", metavar="A")],
    b: Annotated[int, typer.Argument(help="The other's; the same one for variations.", metavar="B")],
    count: Annotated[int, typer.Option(min=1, max=64, help="How many children.")] = 4,
    mutation: Annotated[float, typer.Option(min=0, max=1, help="The share that no parent gave.")] = 0.1,
    scale: Annotated[int, typer.Option(min=1, max=16, help="Enlarge by this factor.")] = 4,
    out: Annotated[Path | None, typer.Option(help="The picture.")] = None,
    name: RunName = None,
) -> None:
    """Children of two bags: both parents, then their children, in one picture."""
    generator = _generator(load(context.obj), name)
    parents = generator.latents([a, b])
    children = generator.children(parents[0], parents[1], range(count), mutation)
    images = generator.draw(torch.cat([parents, children]))
    columns = min(len(images), 8)
    _save(out or Path(f"{generator.version}-{a}x{b}.png"), png(grid(images, columns, scale=scale)))


@app.command()
def evaluate(
    context: typer.Context,
    count: Annotated[int, typer.Option(min=50, help="How many bags to dream.")] = 1000,
    inception: Annotated[
        bool, typer.Option("--inception", help="Papers' features; downloads 91 MB.")
    ] = False,
    best: Annotated[
        bool, typer.Option("--best", help="The generator of the lowest KID in training.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="The sheet; in the run's folder by default.")] = None,
    name: RunName = None,
) -> None:
    """Measure the dreams against held-out real bags, and lay them beside their nearest real ones."""
    from gan import neighbors, quality  # with what only they need

    settings = load(context.obj)
    dataset = open_dataset(settings.dataset)
    chosen = _run(settings, name)
    generator = generators.load(chosen.best if best else chosen.generator)
    if generator.image_size != dataset.image_size:
        raise LaunchError(
            f"the generator dreams {generator.image_size}-pixel pictures, "
            f"the dataset has {dataset.image_size}-pixel ones"
        )
    features = quality.extractor("inception" if inception else "efficientnet")
    dreamed = generator.draw(generator.latents(range(count)))
    real = for_measuring(dataset, count)
    found = quality.measure(features(real), features(dreamed))
    typer.echo(
        f"KID {found.kid:.1f}  FID {found.fid:.1f}  "
        f"precision {found.precision:.2f}  recall {found.recall:.2f}  "
        f"({count} dreamed, {len(real)} real, {'Inception' if inception else 'EfficientNet-Lite0'})"
    )
    typer.echo(quality.in_words(found))
    _save(
        out or chosen.path / "neighbors.png",
        png(neighbors.neighbors(dreamed[:12], dataset.images[dataset.rows])),
    )


@app.command()
def timelapse(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="The GIF; in the run's folder by default.")] = None,
    name: RunName = None,
) -> None:
    """A run's grids as an animation."""
    chosen = _run(load(context.obj), name)
    grids = sorted(chosen.grids.glob("epoch-*.png"))
    if not grids:
        raise LaunchError(f"the run {chosen.name} has no grids yet")
    _save(out or chosen.timelapse, animate.timelapse(grids))


def main() -> None:
    """Run the command line; what a person can mend is one line on stderr and exit code 2."""
    try:
        code = app(standalone_mode=False)
    except typer.TyperException as error:
        _give_up(error.format_message())
    except (UserError, OSError) as error:
        _give_up(one_line(error))
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        _give_up(one_line(error))
    sys.exit(code or 0)


def _train(launch: Launch, dataset: Dataset, device: torch.device, world: World) -> None:
    stopping: list[int] = []
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, lambda received, _: stopping.append(received)) for number in numbers]
    try:
        trainer = Trainer(launch.run, launch.settings, dataset, device, lambda: bool(stopping), world)
        with Display(trainer.steps, silent=not world.first) as display:
            for note in launch.notes:
                display.note(note)
            trainer.train(display)
    except Exception as error:
        if world.first:
            _tell_failed(launch.run, error)
        raise
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _tell_failed(failed: Run, error: Exception) -> None:
    try:
        final = isinstance(error, TrainingError)
        events.append(failed.path, events.Failed(reason=one_line(error), final=final))
    except OSError as second:
        typer.echo(f"the run's events cannot be written: {one_line(second)}", err=True)


def _generator(settings: Settings, name: str | None) -> Generator:
    if name is not None:
        return generators.load(_run(settings, name).generator)
    trained = [one for one in run.every(settings.runs) if one.generator.exists()]
    return generators.load((trained[-1] if trained else _run(settings, None)).generator)


def _run(settings: Settings, name: str | None) -> Run:
    chosen = run.newest(settings.runs) if name is None else Run(settings.runs / name)
    if chosen is None or not chosen.path.is_dir():
        what = "no runs yet" if name is None else f"no run {name}"
        raise LaunchError(f"{settings.runs} has {what}: train one first")
    return chosen


def _save(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, data)
    typer.echo(file)


def _give_up(line: str) -> NoReturn:
    typer.echo(line, err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
