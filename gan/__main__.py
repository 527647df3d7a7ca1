"""The command line: `python -m gan train | dream | interpolate | breed | evaluate | timelapse`."""

import io
import secrets
import signal
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, NoReturn

import torch
import typer
from PIL import Image

from gan import animate, codes, events, neighbors, quality, run
from gan import device as machine
from gan import generator as generators
from gan.atomic import write_atomically
from gan.codes import Bag
from gan.data import Dataset, evaluation_pictures, open_dataset
from gan.display import Display
from gan.distributed import World, join
from gan.errors import UserError, one_line, out_of_memory
from gan.generator import Generator
from gan.grid import enlarge, grid, png
from gan.interpolate import interpolation
from gan.launch import Launch, LaunchError, locked, prepare
from gan.run import Run
from gan.seeds import SEEDS
from gan.settings import Settings, load
from gan.toml_settings import SettingsError
from gan.train import Trainer, TrainingError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

CONFIG = Path("config.toml")
"""The default, which may be missing."""
RunName = Annotated[str | None, typer.Option("--run", help="Name of the run; default: the newest.")]


@app.callback()
def configure(
    context: typer.Context,
    config: Annotated[Path, typer.Option(help="Configuration file.")] = CONFIG,
) -> None:
    """Train a GAN on pictures of bags and dream new ones."""
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
    out: Annotated[Path | None, typer.Option(help="A PNG file; with --count, a folder.")] = None,
    name: RunName = None,
) -> None:
    """Dream bags: one picture, a grid, or a folder of pictures."""
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
        _save(out or Path(f"{names[0]}-grid.png"), png(grid(images, columns, scale=scale)))
    elif count == 1:
        _save(out or Path(f"{names[0]}.png"), png(enlarge(Image.fromarray(images[0]), scale)))
    else:
        folder = out or Path(f"{names[0]}-{count}")
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
    out: Annotated[Path | None, typer.Option(help="A .gif or .webp file.")] = None,
    name: RunName = None,
) -> None:
    """Animate the way from bag to bag."""
    if not 2 <= len(texts) <= 8:
        raise typer.BadParameter("give 2 to 8 numbers: A B [C…]")
    generator = _generator(load(context.obj), name)
    bags = [codes.bag(text, generator) for text in texts]
    names = "-".join(bag.name(generator) for bag in bags)
    file = out or Path(f"{generator.version}-{names}.gif")
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
    out: Annotated[Path | None, typer.Option(help="A PNG file.")] = None,
    name: RunName = None,
) -> None:
    """Draw two bags and their children in one picture."""
    generator = _generator(load(context.obj), name)
    bags = [codes.bag(text, generator) for text in (a, b)]
    parents = codes.latents(bags, generator)
    children = generator.children(parents[0], parents[1], range(count), mutation)
    images = generator.draw(torch.cat([parents, children]))
    columns = min(len(images), 8)
    _save(
        out or Path(f"{generator.version}-{'x'.join(bag.name(generator) for bag in bags)}.png"),
        png(grid(images, columns, scale=scale)),
    )


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
    dreamed = generator.draw(generator.latents(range(count)))
    real = evaluation_pictures(dataset, count)
    found = quality.measure(features(real), features(dreamed))
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
    try:
        final = isinstance(error, TrainingError)
        events.append(failed.path, events.Failed(reason=one_line(error), final=final))
    except OSError as second:
        typer.echo(f"could not write the run's events: {one_line(second)}", err=True)


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
