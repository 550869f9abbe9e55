"""`genren doctor`: what is there, and what is missing."""

import importlib.metadata
import re

import pytest
import torch

from tests.conftest import Terminal


def test_doctor_says_what_is_there(genren: Terminal):
    """Versions, devices and both back ends, each on a line, and how to get what is missing."""
    lines = genren("doctor")

    findings = dict(line.split(": ", maxsplit=1) for line in lines)
    assert findings["torch"].startswith(torch.__version__.split("+")[0])
    assert {"genren", "python", "warp-lang", "dvc", "cuda device", "cpu threads"} <= findings.keys()
    assert findings["renderer warp"].startswith("ready")
    assert re.search(r"found|pip install kaolin", findings["renderer kaolin"])


def test_doctor_goes_on_where_something_is_missing(genren: Terminal, monkeypatch: pytest.MonkeyPatch):
    """Without torch it says how to get torch, instead of failing for lack of it; the placeholder is no Kaolin."""
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "torch":
            raise importlib.metadata.PackageNotFoundError(name)
        return "0.1" if name == "kaolin" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)

    lines = genren("doctor")

    assert "torch: missing; pip install -c constraints.txt -e ." in lines
    assert not any(line.startswith(("cuda", "renderer warp")) for line in lines)
    assert lines[-1].startswith("renderer kaolin: not found")
