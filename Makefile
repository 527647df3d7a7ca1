# `make run` and `make test` need nothing but Python 3.11 or newer: the first call sets up .venv.
PYTHON ?= python3
VENV := .venv/bin
READY := .venv/ready
# More for pytest: make test ARGS="--cov -k poll"
ARGS ?=
# Bot and tests start many processes: each would compile all modules again where this is set, as in containers.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-slow lint audit fmt clean

run: $(READY)
	@exec $(VENV)/python -m bot

test: $(READY)
	@$(VENV)/python -m pytest $(ARGS)

# One at a time: each of them starts processes of its own.
test-slow: $(READY)
	@$(VENV)/python -m pytest -m slow -n 0 $(ARGS)

lint: $(READY)
	$(VENV)/ruff check
	$(VENV)/ruff format --check
	$(VENV)/mypy
	$(VENV)/lint-imports
	$(VENV)/bandit --quiet --configfile pyproject.toml --recursive bot gan scraper

# Known vulnerabilities in what is installed; asks PyPI.
audit: $(READY)
	$(VENV)/pip-audit --local --skip-editable

fmt: $(READY)
	$(VENV)/ruff check --fix
	$(VENV)/ruff format

clean:
	rm -rf .venv

# The stamp is newer than the lists of what is needed, or the set-up runs again.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Bag Dreams needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name one: make PYTHON=python3.12 " + "$(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv
	$(VENV)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@$(VENV)/python -c 'import torchvision'
	@touch $(READY)
