"""Two gloo processes on the CPU, started by torchrun as `genren train` does, that run one function of a test."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def together(module: str, *arguments: object, processes: int = 2) -> None:
    """Run `python -m module arguments` in processes that share a group; raise if one of them fails."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    process = subprocess.Popen(
        [*torchrun, "-m", module, *map(str, arguments)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        output, _ = process.communicate(timeout=120)
    finally:
        # torchrun ends its workers on a polite signal only.
        process.terminate()
        process.wait(30)

    assert process.returncode == 0, output
