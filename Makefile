# Two commands: `make repro` runs the benchmark, `make test` checks everything. Both set up .venv first.

PYTHON ?= python3
BIN := .venv/bin
# DVC's stages call `python`: the environment's comes first.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# As the commands do for themselves (genren/doors.py): pytest imports PyTorch before any door.
export GOMP_SPINCOUNT ?= 10000

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
	mkdir -p work
	pytest tests/benchmarks --benchmark-only --benchmark-json=work/bench.json
	python -m tests.benchmarks.table work/bench.json

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf .venv work
