"""losses.png and quality.png: a run's curves, from its events."""

import io
from collections.abc import Mapping, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gan.events import Epoch


def losses(epochs: Sequence[Epoch]) -> bytes:
    """A PNG of the losses by epoch; for an epoch trained twice, the later event counts."""
    latest = sorted({epoch.epoch: epoch for epoch in epochs}.items())
    lines = {
        "discriminator": [(number, epoch.loss_d) for number, epoch in latest],
        "generator": [(number, epoch.loss_g) for number, epoch in latest],
    }
    if words := [(number, epoch.loss_words) for number, epoch in latest if epoch.loss_words is not None]:
        lines["words"] = words
    return _curves(lines, "loss")


def quality(epochs: Sequence[Epoch]) -> bytes:
    """A PNG of KID × 1000 by epoch, for the epochs in which it was measured."""
    latest = sorted({epoch.epoch: epoch.kid for epoch in epochs if epoch.kid is not None}.items())
    return _curves({"lower is better": latest}, "KID × 1000")


def _curves(lines: Mapping[str, Sequence[tuple[int, float]]], what: str) -> bytes:
    figure = Figure(figsize=(7, 3.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for label, points in lines.items():
        axes.plot(*zip(*points, strict=True), "o-" if len(points) < 10 else "-", label=label)
    axes.set(xlabel="epoch", ylabel=what)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
