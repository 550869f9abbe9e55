# Two commands: `make repro` runs the benchmark, `make test` checks everything. Both set up .venv first.

PYTHON ?= python3
BIN := .venv/bin
# DVC's stages call `python`: the environment's comes first.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: repro test lint bench clean

repro: .venv/installed
	dvc repro

test: .venv/installed lint
	pytest

lint: .venv/installed
	ruff format --check .
	ruff check .
	mypy
	lint-imports

bench: .venv/installed
	pytest tests/benchmarks --benchmark-only

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf .venv work
