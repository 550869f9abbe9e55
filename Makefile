# Two commands: `make repro` runs the benchmark, `make test` checks everything. Both set up .venv first.

PYTHON ?= python3
BIN := .venv/bin
# DVC's stages call `python`: the environment's comes first.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: repro test lint meshes bench clean

repro: .venv/installed
	dvc repro

test: .venv/installed lint
	pytest

lint: .venv/installed
	ruff format --check .
	ruff check .
	mypy
	lint-imports

# The same pipeline on meshes of your own: FOLDER holds one folder per category. DVC keeps it as the experiment `meshes`.
meshes: .venv/installed
	dvc exp run --force --name meshes -S fetch.source=meshes -S fetch.folder=$(FOLDER) -S 'categories=[$(CATEGORIES)]'

bench: .venv/installed
	pytest tests/benchmarks --benchmark-only

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf .venv work
