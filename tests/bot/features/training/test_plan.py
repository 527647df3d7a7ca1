"""What to post of a run, by its events and by what is out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.features.training.thread import Plan, is_left_out, plan
from gan import events
from gan.run import Run
from gan.run_state import Progress, follow

RUN = Run(Path("2027-01-01-0000"))
STARTED = events.Started(
    run=RUN.name, preset="dream", device="cpu", epochs=3, epoch=0, images=600, image_size=64, dataset="0" * 64
)
DONE = events.Finished(epoch=3, timelapse="timelapse.gif", losses="losses.png")
WRONG = events.Recovered(epoch=1, reason="the losses were not finite", rate=0.5)


def epoch(number):
    return events.Epoch(
        epoch=number,
        epochs=3,
        loss_d=0.5,
        loss_g=1.5,
        images_per_second=300,
        images_seen=600 * number,
        seconds=2.0 * number,
        seconds_left=1.0,
        grid=f"grids/epoch-{number:04d}.png",
    )


def run_of(*happened) -> Progress:
    """A run of which this is known."""
    progress = follow(RUN, [STARTED, *happened], None)
    assert progress is not None
    return progress


NOTHING = Plan(None, (), None)


@pytest.mark.parametrize(
    ("progress", "posted", "ended", "grid_due", "expected"),
    [
        (run_of(), 0, False, True, NOTHING),
        (run_of(epoch(1)), 0, False, True, Plan(epoch(1), (), None)),
        (run_of(epoch(1)), 0, False, False, NOTHING),
        (run_of(epoch(1)), 1, False, True, NOTHING),
        (run_of(epoch(1), epoch(2)), 0, False, True, Plan(epoch(2), (), None)),
        (run_of(epoch(3), DONE), 2, False, False, Plan(epoch(3), (), DONE)),
        (run_of(epoch(3), DONE), 3, False, False, Plan(None, (), DONE)),
        (run_of(epoch(3), DONE), 3, True, True, NOTHING),
        (run_of(epoch(2), WRONG, epoch(2), epoch(3)), 2, False, True, Plan(epoch(3), (WRONG,), None)),
        (run_of(epoch(2), WRONG, epoch(2), epoch(3)), 3, False, True, NOTHING),
    ],
)
def test_what_is_posted(progress, posted, ended, grid_due, expected):
    # Events made at different moments are equal but for their time.
    found = plan(progress, posted, ended, grid_due)
    assert [found.grid and found.grid.epoch, len(found.recovered), found.ending and found.ending.event] == [
        expected.grid and expected.grid.epoch,
        len(expected.recovered),
        expected.ending and expected.ending.event,
    ]


def test_a_run_that_went_on_after_its_ending_is_posted_again():
    resumed = run_of(epoch(1), events.Stopped(epoch=1), STARTED, epoch(2))
    assert plan(resumed, 1, True, True).grid.epoch == 2
    assert plan(resumed, 1, True, True).ending is None


def test_what_was_over_before_the_bot_started_is_left_out():
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    assert is_left_out(run_of(epoch(3), DONE), newest=True, since=now + hour)
    assert not is_left_out(run_of(epoch(3), DONE), newest=True, since=now - hour)
    assert not is_left_out(run_of(epoch(1)), newest=True, since=now + hour)
    assert is_left_out(run_of(epoch(1)), newest=False, since=now - hour)
