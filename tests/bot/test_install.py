"""Which build of PyTorch is installed, tried with an index of our own on loopback."""

import http.server
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from bot import install
from bot.install import CPU, CUDA, SMALL, WINDOWS_CUDA, choose

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("asked", "system", "has_gpu", "answers", "build"),
    [
        ("auto", "Linux", False, True, CPU),
        ("auto", "Linux", False, False, CUDA),
        ("auto", "Linux", True, True, CUDA),
        ("cpu", "Linux", True, False, CPU),
        ("cuda", "Linux", False, True, CUDA),
        ("default", "Linux", False, True, CUDA),
        ("auto", "Darwin", False, True, SMALL),
        ("cuda", "Darwin", False, True, SMALL),
        ("auto", "Windows", False, True, SMALL),
        ("auto", "Windows", True, True, WINDOWS_CUDA),
        ("cuda", "Windows", False, False, WINDOWS_CUDA),
        ("default", "Windows", True, True, SMALL),
    ],
)
def test_the_build_that_a_machine_gets(asked, system, has_gpu, answers, build):
    assert choose(asked, system, has_gpu, lambda _: answers) == build


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder that is served as PyTorch's indexes are; its URL is the one that the installer asks."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(tmp_path / "index"))

        def do_GET(self):
            if "slow" in self.path:
                hanging.wait(60)
            super().do_GET()

        def log_message(self, *_):
            pass

    hanging = threading.Event()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setattr(install, "INDEX", f"http://127.0.0.1:{server.server_port}/")
        (tmp_path / "index" / "cpu" / "torch").mkdir(parents=True)
        yield tmp_path / "index"
        hanging.set()
        server.shutdown()


def test_an_index_is_taken_only_if_it_answers_in_time(index, monkeypatch):
    assert install.answers(CPU)
    assert not install.answers(WINDOWS_CUDA)  # there is no such folder
    monkeypatch.setattr(install, "ANSWER_SECONDS", 0.1)
    assert not install.answers(install.Build("slow", ""))
    monkeypatch.setattr(install, "INDEX", "http://127.0.0.1:1/")
    assert not install.answers(CPU)


@pytest.fixture
def calls(monkeypatch):
    """What pip is called with, on Linux without a GPU; `calls.codes` are its exit codes in turn."""

    class Calls(list):
        codes = (0,)

    made = Calls()

    def pip(*arguments):
        made.append(arguments)
        return made.codes[len(made) - 1]

    monkeypatch.setattr(install, "pip", pip)
    monkeypatch.setattr(install, "installed", lambda: None)
    monkeypatch.setattr(install, "has_nvidia_gpu", lambda: False)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    return made


def test_an_index_without_a_fitting_build_gives_way_to_pypi(index, calls, capsys):
    calls.codes = (1, 0)
    install.install_torch("auto")
    assert calls == [("--no-deps", "--index-url", CPU.url, "torch", "torchvision"), ("torch", "torchvision")]
    said = capsys.readouterr().out
    assert said.index("0.2 GB") < said.index("no build for this Python") < said.index("3 GB")


def test_who_asks_for_a_build_gets_no_other(index, calls):
    calls.codes = (1,)
    with pytest.raises(SystemExit) as ending:
        install.install_torch("cpu")
    assert ending.value.code == 2


@pytest.mark.parametrize(
    ("asked", "here", "called"),
    [
        ("auto", "", False),
        ("auto", "cpu", False),
        ("cpu", "cpu", False),
        ("cpu", "", True),
        ("cuda", "cpu", True),
    ],
)
def test_a_build_that_is_there_stays_unless_another_is_asked_for(calls, monkeypatch, asked, here, called):
    monkeypatch.setattr(install, "installed", lambda: here)
    install.install_torch(asked)
    assert bool(calls) == called
    assert not called or "--force-reinstall" in calls[0]


def wheel(folder, name, version):
    """A package without content, and its page in the index."""
    file = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")


@pytest.mark.slow
def test_pip_takes_the_build_without_cuda_from_the_index(index, tmp_path):
    """In an environment of its own, with the real pip."""
    for name in ("torch", "torchvision"):
        (index / "cpu" / name).mkdir(exist_ok=True)
        for version in ("2.99.0", "2.99.0+cpu"):
            wheel(index / "cpu" / name, name, version)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    (tmp_path / "constraints.txt").write_text("torch==2.99.0\ntorchvision==2.99.0\n")
    code = (
        "from bot import install\n"
        f"install.INDEX, install.has_nvidia_gpu = {install.INDEX!r}, lambda: False\n"
        "install.platform.system = lambda: 'Linux'\n"
        "install.install_torch('auto')\nprint(install.installed())"
    )
    done = subprocess.run(
        [tmp_path / "venv" / "bin" / "python", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("PyTorch, the build for the processor")
    assert done.stdout.splitlines()[-1] == "cpu"
