"""losses.png and quality.png: a run's curves, from its events."""

import io
from collections.abc import Mapping, Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gan.events import Epoch

GROUND, INK = "#2b2d31", "#dbdee1"
"""Of dark chats, where most people read; on light ones it is a card."""
COLORS = ("#74c0fc", "#ffa94d", "#8ce99a")


def losses(epochs: Sequence[Epoch]) -> bytes:
    """A PNG of the losses by epoch; for an epoch trained twice, the later event counts."""
    latest = sorted({epoch.epoch: epoch for epoch in epochs}.items())
    lines = {
        "discriminator": [(number, epoch.loss_d) for number, epoch in latest],
        "generator": [(number, epoch.loss_g) for number, epoch in latest],
    }
    if words := [(number, epoch.loss_words) for number, epoch in latest if epoch.loss_words is not None]:
        lines["words"] = words
    return _curves(lines, "loss", "Losses: level lines are good, neither network wins")


def quality(epochs: Sequence[Epoch]) -> bytes:
    """A PNG of KID × 1000 by epoch, for the epochs in which it was measured."""
    latest = sorted({epoch.epoch: epoch.kid for epoch in epochs if epoch.kid is not None}.items())
    return _curves(
        {"dreams": latest}, "KID × 1000", "Distance to real bags: lower is better, 0 is as good as real"
    )


def _curves(lines: Mapping[str, Sequence[tuple[int, float]]], what: str, title: str) -> bytes:
    figure = Figure(figsize=(7, 3.5), dpi=120, layout="constrained", facecolor=GROUND)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(facecolor=GROUND)
    for (label, points), color in zip(lines.items(), COLORS, strict=False):
        marks = "o-" if len(points) < 10 else "-"
        axes.plot(*zip(*points, strict=True), marks, label=label, color=color, linewidth=2)
    axes.set_title(title, color=INK, loc="left", fontsize=12, fontweight="bold")
    axes.set_xlabel("epoch", color=INK)
    axes.set_ylabel(what, color=INK)
    axes.tick_params(colors=INK)
    axes.spines[:].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color=INK, alpha=0.15)
    if len(lines) > 1:
        axes.legend(frameon=False, labelcolor=INK)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
