"""`python -m bot.install`: installs what running needs into this environment. Needs only Python itself.

Nearly all of it is PyTorch, whose build with CUDA loads ten times as much as the one without. PyPI has one
build per system, and PyTorch's own indexes have the others (https://pytorch.org/get-started/locally/).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import subprocess  # nosec B404  # of pip, by fixed commands
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

INDEX = "https://download.pytorch.org/whl/"
ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class Build:
    """A build of PyTorch: `kind` is its folder in PyTorch's index, or "" for PyPI's."""

    kind: str
    about: str

    @property
    def url(self) -> str:
        """The index that has it."""
        return f"{INDEX}{self.kind}"


CPU = Build("cpu", "the build for the processor: a download of 0.2 GB, 0.8 GB on disk")
SMALL = Build("", "PyPI's build for this system: a download of about 0.1 GB, 0.5 GB on disk")
CUDA = Build("", "the build with CUDA: a download of about 3 GB, 6 GB on disk")
WINDOWS_CUDA = Build("cu130", "the build with CUDA: a download of about 2 GB, 4 GB on disk")


def choose(asked: str, system: str, has_gpu: bool, answers: Callable[[Build], bool]) -> Build:
    """The build for `asked` (auto, cpu, cuda or default) on a `system` as `platform.system` names it.

    `answers` says whether a build's index can be reached; only auto on Linux without a GPU asks.
    """
    if system != "Linux":
        wants_cuda = system == "Windows" and (asked == "cuda" or (asked == "auto" and has_gpu))
        return WINDOWS_CUDA if wants_cuda else SMALL
    if asked == "auto":
        return CPU if not has_gpu and answers(CPU) else CUDA
    return CPU if asked == "cpu" else CUDA


def has_nvidia_gpu() -> bool:
    """Whether NVIDIA's driver finds a GPU."""
    try:
        # Where the driver puts it differs, so it is looked for on the path.
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, timeout=30, check=False)  # noqa: S607  # nosec
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and b"GPU" in listed.stdout


def answers(build: Build) -> bool:
    """Whether the build's index answers within ANSWER_SECONDS."""
    there = threading.Event()

    def ask() -> None:
        try:
            # The address is PyTorch's index, or the one that whoever installs has set.
            with urllib.request.urlopen(f"{build.url}/torch/", timeout=ANSWER_SECONDS):  # noqa: S310  # nosec B310
                there.set()
        except (OSError, ValueError):
            pass  # which is the answer

    # A thread, since looking up a name has no limit of its own.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(ANSWER_SECONDS)
    return there.is_set()


def installed() -> str | None:
    """The kind of the build that is here; None if there is none."""
    try:
        return importlib.metadata.version("torch").partition("+")[2]
    except importlib.metadata.PackageNotFoundError:
        return None


def install_torch(asked: str) -> None:
    """Say which build it will be and how large it is, then load it. Raises SystemExit if that fails."""
    here = installed()
    if here is not None and asked == "auto":
        return
    build = choose(asked, platform.system(), has_nvidia_gpu(), answers)
    if here == build.kind:
        return
    say(f"PyTorch, {build.about}. (make run TORCH=cpu|cuda|default chooses by hand.)")
    # Without what it depends on: PyTorch's indexes have old versions of that, and PyPI has the others.
    source = ["--no-deps", "--index-url", build.url] if build.kind else []
    again = ["--force-reinstall"] if here is not None else []
    if pip(*source, *again, "torch", "torchvision") == 0:
        return
    if asked == "auto" and build.kind:
        say("PyTorch's own index has no build for this Python.")
        return install_torch("default")
    raise SystemExit(2)


def install_others(extras: str) -> None:
    """Install the rest, with extras of pyproject.toml, and count it. Raises SystemExit if that fails."""
    say("The libraries: a download of about 0.15 GB, 0.6 GB on disk.")
    command = [*PIP, "--editable", f".[{extras}]"]
    counted, said = 0, []
    # pip, with arguments that are written here.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # noqa: S603  # nosec
        for line in process.stdout or ():
            said.append(line)
            if line.startswith("Collecting "):
                counted += 1
                move(f"  {counted} found: {line.split()[1]}")
            elif line.startswith("Installing collected"):
                move(f"  {counted} loaded, unpacking them…")
    move("")
    if process.returncode:
        sys.stderr.write("".join(said[-15:]))
        raise SystemExit(2)


PIP = [
    sys.executable,
    "-m",
    "pip",
    "install",
    "--disable-pip-version-check",
    "--constraint",
    "constraints.txt",
]


def pip(*arguments: str) -> int:
    """`pip install`, which shows its own bars; its exit code."""
    # As above: every argument is written in this file.
    return subprocess.run([*PIP, *arguments], check=False).returncode  # noqa: S603  # nosec


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def move(line: str) -> None:
    """Show a line in the place of the last one; nothing where nobody watches."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\033[K{line[:78]}")
        sys.stdout.flush()


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bot.install", description="Install Bag Dreams.")
    parser.add_argument("--torch", choices=["auto", "cpu", "cuda", "default"], default="auto")
    parser.add_argument("--extras", default="demo,quality", help="of pyproject.toml (default: demo,quality)")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    say(f"Installing into {sys.prefix}, and nowhere else.")
    install_torch(options.torch)
    install_others(options.extras)
    size = sum(file.lstat().st_size for file in Path(sys.prefix).rglob("*") if not file.is_dir())
    say(f"Done: {size / 1e9:.1f} GB in {time.monotonic() - began:.0f} s. From now on it starts at once.")


if __name__ == "__main__":
    main()
