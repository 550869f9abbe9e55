"""What `test_two_processes.py` runs in two processes: `python -m tests.train.on_two_ranks store folder`."""

import sys
from pathlib import Path

from genren.engine import ranks
from genren.files import read_json
from genren.params import TrainParams, parse
from genren.train import train


def main(store: Path, folder: Path) -> None:
    """Train by every `*.json` of a folder, into folders of the same names."""
    with ranks.group("cpu", 2):
        for file in sorted(folder.glob("*.json")):
            train("cabinet", 0, parse(TrainParams, read_json(file), str(file)), store, folder / file.stem)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
