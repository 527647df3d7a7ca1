"""`--help` answers at once: it loads nothing that only the commands need."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("package", ["bot", "gan", "scraper"])
def test_help_has_examples_and_loads_no_large_library(package):
    command = [sys.executable, "-X", "importtime", "-m", package, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Examples:" in done.stdout
    assert "--install-completion" in done.stdout
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in loaded
    assert not loaded & {
        "aiohttp",
        "bs4",
        "discord",
        "numpy",
        "PIL",
        "pydantic",
        "rich",
        "sqlalchemy",
        "torch",
    }
