# `make run` and `make test` need nothing but Python 3.11 or newer: the first call sets up .venv.
PYTHON ?= python3
# The build of PyTorch: cpu, cuda, default (PyPI's) or auto, which is cuda where there is an NVIDIA GPU.
TORCH ?= auto
VENV := .venv/bin
# Stamps: what running needs is there, and what tests and checks need.
READY := .venv/ready
TOOLS := .venv/ready-to-develop
# More for pytest: make test ARGS="--cov -k poll"
ARGS ?=
# Bot and tests start many processes: each would compile all modules again where this is set, as in containers.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-slow lint audit fmt clean again

run: $(READY)
	@exec $(VENV)/python -m bot

test: $(TOOLS)
	@$(VENV)/python -m pytest $(ARGS)

# One at a time: each of them starts processes of its own.
test-slow: $(TOOLS)
	@$(VENV)/python -m pytest -m slow -n 0 $(ARGS)

lint: $(TOOLS)
	$(VENV)/ruff check
	$(VENV)/ruff format --check
	$(VENV)/mypy
	$(VENV)/lint-imports
	$(VENV)/hadolint Dockerfile
	$(VENV)/bandit --quiet --configfile pyproject.toml --recursive bot gan scraper

# Known vulnerabilities in what is installed; asks PyPI.
audit: $(TOOLS)
	$(VENV)/pip-audit --local --skip-editable

fmt: $(TOOLS)
	$(VENV)/ruff check --fix
	$(VENV)/ruff format

clean:
	rm -rf .venv

# A stamp is newer than the lists of what is needed, or the set-up runs again; so it does for another TORCH.
$(READY): pyproject.toml constraints.txt $(if $(filter-out auto,$(TORCH)),again)
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Bag Dreams needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name one: make PYTHON=python3.12 " + "$(MAKECMDGOALS)")'
	@$(PYTHON) -m venv .venv
	@$(VENV)/python -m bot.install --torch $(TORCH)
	@touch $(READY)

$(TOOLS): $(READY)
	@$(VENV)/python -m bot.install --extras dev
	@touch $(TOOLS)

again:
