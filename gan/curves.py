"""losses.png: how the losses of a run went, from its events."""

import io
from collections.abc import Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gan.events import Epoch


def losses(epochs: Sequence[Epoch]) -> bytes:
    """A PNG of both losses over the epochs; of an epoch that was trained twice, the later counts."""
    latest = {epoch.epoch: epoch for epoch in epochs}
    numbers = sorted(latest)
    figure = Figure(figsize=(7, 3.5), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    style = "o-" if len(numbers) < 2 else "-"
    axes.plot(numbers, [latest[n].loss_d for n in numbers], style, label="discriminator")
    axes.plot(numbers, [latest[n].loss_g for n in numbers], style, label="generator")
    axes.set(xlabel="epoch", ylabel="loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
