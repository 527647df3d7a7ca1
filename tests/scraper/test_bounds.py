"""A crawl has an end: limits of pictures, bytes and hours, and Ctrl-C; the next one goes on from there."""

import asyncio
import signal
import subprocess
import sys
import time

import pytest

SLOW = 0.005
"""Seconds between two looks at what a process has done."""


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("pictures = 3", "more than 3 pictures: stopped (the setting `pictures`)"),
        ("total_bytes = 5_000", "more than 5000 bytes: stopped (the setting `total_bytes`)"),
        ("pages = 2", "more than 2 pages: stopped (the setting `pages`)"),
    ],
)
def test_a_limit_ends_a_crawl_with_a_line_and_the_next_one_goes_on(site, project, setting, line):
    project.shops(site, "rebag", more=setting)

    result = project.run("collect", "--json")

    assert (result.code, result.event("problem")["message"]) == (2, line)
    first = result.event("shop")["new"]
    assert 0 < first < 10
    project.shops(site, "rebag")
    again = project.run("collect", "--json")
    assert (again.code, again.event("shop")["new"]) == (0, 10 - first)
    assert max(site.asked[path] for path in site.pictures()) == 1


def test_the_limit_of_pages_is_none_of_their_pictures(site, project):
    project.shops(site, "rebag", more="pages = 2")

    assert project.run("collect", "--json").event("shop")["new"] == 8


def test_no_picture_is_begun_beyond_the_limit(site, project):
    project.shops(site, "rebag", more="pictures = 3")
    project.run("collect")

    assert len(site.pictures()) == 3


def test_the_hours_of_one_shop_are_not_those_of_another(site, project):
    async def answer(_):
        await asyncio.get_running_loop().create_future()

    site.answers["/rebag/img/1_512x512.jpg"] = answer
    project.shops(site, "rebag", "shopify", more="timeout = 3600\nhours = 0.0002")

    result = project.run("collect", "--json")

    lines = {event["shop"]: event["message"] for event in result.events if event["event"] == "problem"}
    assert lines["rebag"] == "more than 0.0002 hours: stopped (the setting `hours`)"
    del site.answers["/rebag/img/1_512x512.jpg"]
    project.shops(site, "rebag", "shopify")
    again = project.run("collect", "--json")
    assert again.code == 0
    assert project.run("build", "--json").event("built")["images"] == 20


def started(project, *words):
    """A scraper in a process of its own."""
    command = [sys.executable, "-m", "scraper", "--config", str(project.path / "config.toml"), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process):
    """Its exit code and what it said on stderr."""
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_crawl_that_is_stopped_says_so_and_loses_nothing(site, project, signum):
    site.bags = list(range(1, 201))
    project.shops(site, "rebag", more="connections = 1")
    process = started(project, "collect")
    while len(site.pictures()) < 10 and process.poll() is None:
        time.sleep(SLOW)
    process.send_signal(signum)

    code, errors = ended(process)

    assert (code, errors) == (130, "stopped: nothing is lost, and the same command goes on from here\n")
    before = len(site.pictures())
    kept = project.run("collect", "--json").event("shop")["new"]
    assert 200 - kept >= before - 2  # but for what was on its way
    assert project.run("build", "--json").event("built")["images"] == 200


def test_ctrl_c_while_a_page_hangs_is_answered(site, project):
    async def hang(_):
        site.reached.set()
        await asyncio.get_running_loop().create_future()

    site.answers["/rebag/collections/all-bags"] = hang
    project.shops(site, "rebag")
    process = started(project, "collect", "--json")
    site.reached.wait(60)
    process.send_signal(signal.SIGINT)

    assert ended(process)[0] == 130


def test_ctrl_c_during_an_import_loses_nothing(project, tmp_path, draw):
    (tmp_path / "own").mkdir()
    for number in range(300):
        (tmp_path / "own" / f"{number}.jpg").write_bytes(draw(number))
    process = started(project, "import", str(tmp_path / "own"))
    originals = tmp_path / "shop" / "originals"
    while not any(originals.glob("*/*")) and process.poll() is None:
        time.sleep(SLOW)
    process.send_signal(signal.SIGINT)
    code, errors = ended(process)

    assert (code, "Traceback" in errors) == (130, False)
    assert project.run("import", tmp_path / "own", "--json").event("shop")["failed"] == 0
    assert project.run("build", "--json").event("built")["images"] > 250


@pytest.mark.parametrize("module", ["typer", "scraper.settings", "scraper.catalog"])
def test_ctrl_c_while_modules_are_loaded_is_no_traceback(project, module):
    """Each is interrupted at the same place: when this module is looked for."""
    program = f"""
import os, runpy, signal, sys

class Interrupts:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
sys.argv = ["scraper", "stats"]
runpy.run_module("scraper", run_name="__main__", alter_sys=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project.path, capture_output=True, text=True, timeout=60,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": ""},
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (130, "stopped\n")
