"""The command line: `python -m gan train | dream | interpolate | breed | evaluate | timelapse`."""

from __future__ import annotations

import io
import secrets
import signal
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gan.errors import UserError, one_line, out_of_memory

# The rest is loaded by the command that needs it: torch takes seconds, and `--help` needs none of it.
if TYPE_CHECKING:
    import torch

    from gan.data import Dataset
    from gan.distributed import World
    from gan.generator import Generator
    from gan.launch import Launch
    from gan.run import Run
    from gan.settings import Settings

EXAMPLES = """Examples:

\b
  bag-dreams-gan train --minutes 30
  bag-dreams-gan dream --seed 42 --scale 8
  bag-dreams-gan dream --words "red tote"
  bag-dreams-gan interpolate 42 7
  bag-dreams-gan evaluate --best
"""

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None, epilog=EXAMPLES)

CONFIG = Path("config.toml")
"""The default, which may be missing."""
OUT = Path("out")
"""Where results go unless --out says otherwise."""
RunName = Annotated[str | None, typer.Option("--run", help="Name of the run; default: the newest.")]


@app.callback()
def configure(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="Configuration file.")] = CONFIG,
) -> None:
    """Train a GAN on pictures of bags and dream new ones."""
    from gan.toml_settings import SettingsError

    if isinstance(sys.stdout, io.TextIOWrapper):  # what the locale can't print must not end a run
        sys.stdout.reconfigure(errors="backslashreplace")
    if config != CONFIG and not config.exists():
        raise SettingsError(f"--config {config}: there is no such file")
    context.obj = config


@app.command()
def train(
    context: typer.Context,
    name: Annotated[str | None, typer.Option("--run", help="Name of the run to start or resume.")] = None,
    preset: Annotated[str | None, typer.Option(help="dream, bag-dreams, dcgan or sagan.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Stop after this many passes over the dataset.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Stop after this many minutes of training.")] = None,
    new: Annotated[bool, typer.Option("--new", help="Start a new run instead of resuming.")] = False,
) -> None:
    """Resume the newest run if it is unfinished, else start one.

    On several GPUs or hosts: torchrun --nproc-per-node N -m -- gan train …
    """
    from gan import device as machine
    from gan.data import open_dataset
    from gan.distributed import join
    from gan.launch import locked, prepare
    from gan.settings import load

    asked: dict[str, object] = {}
    if preset is not None:
        asked["preset"] = preset
    if epochs is not None or minutes is not None:
        # A bound on the command line replaces both bounds in the file.
        asked |= {"epochs": epochs or 0, "minutes": minutes or 0.0}
    settings = load(context.obj, **asked)
    world = join()
    try:
        dataset = open_dataset(settings.dataset)
        device = machine.choose(settings.device, world.local_rank)
        machine.use_threads(settings.threads)
        launch = world.broadcast(lambda: prepare(settings, dataset, device, frozenset(asked), name, new=new))
        with locked(launch.run) if world.first else nullcontext():
            _train(launch, dataset, device, world)
    finally:
        world.leave()


@app.command()
def dream(
    context: typer.Context,
    seed: Annotated[int | None, typer.Option(help="Number of the bag; default: random.")] = None,
    words: Annotated[str, typer.Option(help='What it should be, such as "red tote".')] = "",
    count: Annotated[int, typer.Option(min=1, help="How many bags, numbered from --seed up.")] = 1,
    as_grid: Annotated[bool, typer.Option("--grid", help="All in one picture, by default 16.")] = False,
    scale: Annotated[int, typer.Option(min=1, max=16, help="Enlarge by this factor.")] = 4,
    out: Annotated[
        Path | None, typer.Option(help="A PNG file; with --count, a folder; default: in out/.")
    ] = None,
    name: RunName = None,
) -> None:
    """Dream bags: one picture, a grid, or a folder of pictures."""
    from PIL import Image

    from gan import codes
    from gan.atomic import write_atomically
    from gan.codes import Bag
    from gan.grid import enlarge, grid, png
    from gan.seeds import SEEDS
    from gan.settings import load

    generator = _generator(load(context.obj), name)
    first = secrets.randbelow(SEEDS - count) if seed is None else seed
    if as_grid and count == 1:
        count = 16
    seeds = range(first, first + count)
    bags = [Bag(number, codes.words_of(words, generator)) for number in seeds]
    images = generator.draw(codes.latents(bags, generator))
    names = [f"{generator.version}-{bag.name(generator)}" for bag in bags]
    if as_grid:
        columns = min(count, round(count**0.5))
        _save(out or OUT / f"{names[0]}-grid.png", png(grid(images, columns, scale=scale)))
    elif count == 1:
        _save(out or OUT / f"{names[0]}.png", png(enlarge(Image.fromarray(images[0]), scale)))
    else:
        folder = out or OUT / f"{names[0]}-{count}"
        folder.mkdir(parents=True, exist_ok=True)
        for each, image in zip(names, images, strict=True):
            write_atomically(folder / f"{each}.png", png(enlarge(Image.fromarray(image), scale)))
        typer.echo(folder)


@app.command()
def interpolate(
    context: typer.Context,
    texts: Annotated[
        list[str], typer.Argument(help="Numbers or codes of two to eight bags.", metavar="A B [C…]")
    ],
    frames: Annotated[int, typer.Option(min=2, max=600, help="Frames in all.")] = 60,
    loop: Annotated[bool, typer.Option("--loop", help="Return to the first bag.")] = False,
    scale: Annotated[int, typer.Option(min=1, max=16, help="Enlarge by this factor.")] = 4,
    out: Annotated[Path | None, typer.Option(help="A .gif or .webp file; default: in out/.")] = None,
    name: RunName = None,
) -> None:
    """Animate the way from bag to bag."""
    from gan import animate, codes
    from gan.grid import enlarge
    from gan.interpolate import interpolation
    from gan.settings import load

    if not 2 <= len(texts) <= 8:
        raise typer.BadParameter("give 2 to 8 numbers: A B [C…]")
    generator = _generator(load(context.obj), name)
    bags = [codes.bag(text, generator) for text in texts]
    names = "-".join(bag.name(generator) for bag in bags)
    file = out or OUT / f"{generator.version}-{names}.gif"
    encode = {".gif": animate.encode_gif, ".webp": animate.encode_webp}.get(file.suffix.lower())
    if encode is None:
        raise typer.BadParameter(f"--out {file}: must end in .gif or .webp")
    pictures = interpolation(generator, codes.latents(bags, generator), frames, loop)
    larger = [enlarge(picture, scale) for picture in pictures]
    _save(file, animate.bounded(larger, lambda fitting: encode(fitting, 60)))


@app.command()
def breed(
    context: typer.Context,
    a: Annotated[str, typer.Argument(help="Number or code of one parent.", metavar="A")],
    b: Annotated[str, typer.Argument(help="That of the other; repeat A for variations.", metavar="B")],
    count: Annotated[int, typer.Option(min=1, max=64, help="How many children.")] = 4,
    mutation: Annotated[float, typer.Option(min=0, max=1, help="Share from neither parent.")] = 0.1,
    scale: Annotated[int, typer.Option(min=1, max=16, help="Enlarge by this factor.")] = 4,
    out: Annotated[Path | None, typer.Option(help="A PNG file; default: in out/.")] = None,
    name: RunName = None,
) -> None:
    """Draw two bags and their children in one picture."""
    import torch

    from gan import codes
    from gan.grid import grid, png
    from gan.settings import load

    generator = _generator(load(context.obj), name)
    bags = [codes.bag(text, generator) for text in (a, b)]
    parents = codes.latents(bags, generator)
    children = generator.children(parents[0], parents[1], range(count), mutation)
    images = generator.draw(torch.cat([parents, children]))
    columns = min(len(images), 8)
    names = "x".join(bag.name(generator) for bag in bags)
    _save(out or OUT / f"{generator.version}-{names}.png", png(grid(images, columns, scale=scale)))


@app.command()
def evaluate(
    context: typer.Context,
    count: Annotated[int, typer.Option(min=50, help="How many bags to dream.")] = 1000,
    inception: Annotated[
        bool, typer.Option("--inception", help="Use the features used in papers; downloads 91 MB.")
    ] = False,
    best: Annotated[
        bool, typer.Option("--best", help="Use the generator with the lowest KID in training.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="A PNG file; default: in the run's folder.")] = None,
    name: RunName = None,
) -> None:
    """Measure dreams against held-out real bags. Draws twelve beside their nearest real ones."""
    import numpy as np
    import torch
    from rich.console import Console
    from rich.progress import track

    from gan import generator as generators
    from gan import neighbors, quality
    from gan.data import evaluation_pictures, open_dataset
    from gan.grid import png
    from gan.launch import LaunchError
    from gan.settings import load

    settings = load(context.obj)
    chosen = _run(settings, name)
    generator = generators.load(chosen.best if best else chosen.generator)
    dataset = open_dataset(settings.dataset).at_most(generator.image_size)
    if generator.image_size != dataset.image_size:
        raise LaunchError(
            f"the generator dreams {generator.image_size}-pixel pictures, "
            f"the dataset has {dataset.image_size}-pixel ones"
        )
    features = quality.extractor("inception" if inception else "efficientnet")
    real = evaluation_pictures(dataset, count)
    console = Console(stderr=True)

    def in_parts(work: Callable[[int, int], Any], total: int, what: str) -> list[Any]:
        starts = range(0, total, 100)  # a multiple of the batches of features, which stay the same
        parts = track(starts, what, console=console, disable=not console.is_terminal)
        return [work(at, min(at + 100, total)) for at in parts]

    dreamed = np.concatenate(
        in_parts(lambda a, b: generator.draw(generator.latents(range(a, b))), count, "dreaming")
    )
    theirs = torch.cat(in_parts(lambda a, b: features(real[a:b]), len(real), "looking at real bags"))
    ours = torch.cat(in_parts(lambda a, b: features(dreamed[a:b]), count, "looking at dreams"))
    with console.status("comparing") if console.is_terminal else nullcontext():
        found = quality.measure(theirs, ours)
    typer.echo(
        f"KID {found.kid:.1f}  FID {found.fid:.1f}  "
        f"precision {found.precision:.2f}  recall {found.recall:.2f}  "
        f"({count} dreamed, {len(real)} real, {'Inception' if inception else 'EfficientNet-Lite0'})"
    )
    typer.echo(quality.in_words(found))
    _save(
        out or chosen.path / "neighbors.png",
        png(neighbors.neighbors(dreamed[:12], dataset.pictures(dataset.rows))),
    )


@app.command()
def timelapse(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="A GIF file; default: in the run's folder.")] = None,
    name: RunName = None,
) -> None:
    """Animate a run's grids."""
    from gan import animate
    from gan.launch import LaunchError
    from gan.settings import load

    chosen = _run(load(context.obj), name)
    grids = sorted(chosen.grids.glob("epoch-*.png"))
    if not grids:
        raise LaunchError(f"the run {chosen.name} has no grids yet")
    _save(out or chosen.timelapse, animate.timelapse(grids))


def main() -> None:
    """Run the command line. An error that the user can fix is one line on stderr and exit code 2."""
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
    from gan.display import Display
    from gan.train import Trainer

    stopping: list[int] = []
    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(each, lambda received, _: stopping.append(received)) for each in signals]
    try:
        trainer = Trainer(launch.run, launch.settings, dataset, device, lambda: bool(stopping), world)
        with Display(trainer.steps, silent=not world.first) as display:
            for note in launch.notes:
                display.note(note)
            trainer.train(display)
    except Exception as error:
        if world.first:
            _record_failure(launch.run, error)
        raise
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)


def _record_failure(failed: Run, error: Exception) -> None:
    from gan import events
    from gan.train import TrainingError

    try:
        final = isinstance(error, TrainingError)
        events.append(failed.path, events.Failed(reason=one_line(error), final=final))
    except OSError as second:
        typer.echo(f"could not write the run's events: {one_line(second)}", err=True)


def _generator(settings: Settings, name: str | None) -> Generator:
    from gan import generator as generators
    from gan import run

    if name is not None:
        return generators.load(_run(settings, name).generator)
    trained = [one for one in run.every(settings.runs) if one.generator.exists()]
    return generators.load((trained[-1] if trained else _run(settings, None)).generator)


def _run(settings: Settings, name: str | None) -> Run:
    from gan import run
    from gan.launch import LaunchError
    from gan.run import Run

    chosen = run.newest(settings.runs) if name is None else Run(settings.runs / name)
    if chosen is None or not chosen.path.is_dir():
        what = "no runs yet" if name is None else f"no run {name}"
        raise LaunchError(f"{settings.runs} has {what}: train one first")
    return chosen


def _save(file: Path, data: bytes) -> None:
    from gan.atomic import write_atomically

    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, data)
    typer.echo(file)


def _give_up(line: str) -> NoReturn:
    typer.echo(line, err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
