# Everything starts here: `make search` and `make test` set up what they need, from a bare Python 3.11 on.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV_HOME := build/uv
UV := $(UV_HOME)/bin/uv
PACKAGES := packages/searchspace packages/surrogate packages/models packages/trainer packages/search tools
PROJECTS := $(PACKAGES:%=%/pyproject.toml)
SOURCES := $(PACKAGES:%=%/src)

# The registry's certificate may be the system's alone, and Python is the one that is here.
export UV_SYSTEM_CERTS := 1
export UV_PYTHON_DOWNLOADS := never
# Processes start twice as fast where Python keeps bytecode. Who wants none beside the sources has it here.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(abspath build/bytecode)

.DEFAULT_GOAL := help
.PHONY: help search test chaos lint bench check-wheels clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F'|' '{ printf "  make %-14s %s\n", $$1, $$2 }'

search: $(VENV)/installed  ## find a cell on the bundled digits (ARGS="--beam 8" passes options on)
	@$(BIN)/pnas-tools search $(ARGS)

test: $(VENV)/installed  ## run the whole test suite
	@$(BIN)/pytest $(ARGS)

chaos: $(VENV)/installed  ## run the tests of interruptions with larger counts
	@PNAS_CHAOS=1 $(BIN)/pytest -m chaos $(ARGS)

lint: $(VENV)/installed  ## check style, types and the contracts on imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(SOURCES)
	@$(BIN)/lint-imports

bench: $(VENV)/installed  ## measure speed against the plain way
	@$(BIN)/pytest tests/benchmarks --benchmark-only $(ARGS)

check-wheels: $(VENV)/installed  ## build every wheel, install each alone, and run its own tests there
	@$(BIN)/python .ci/check_wheels.py --uv $(abspath $(UV)) $(PACKAGES)

clean:  ## remove what the other targets made, but not the runs
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks .import_linter_cache

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, and $(PYTHON) is " + sys.version.split()[0] + ": make PYTHON=python3.11 …")'
	@$(PYTHON) -m venv $(UV_HOME)
	@$(UV_HOME)/bin/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/installed: $(UV) pyproject.toml $(PROJECTS)
	@$(UV) venv --quiet --allow-existing --python $(UV_HOME)/bin/python $(VENV)
	@$(UV) pip install --quiet --python $(BIN)/python --group dev $(PACKAGES:%=--editable %)
	@touch $@
