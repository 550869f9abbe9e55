"""What the command line and the DVC stages share: errors in one sentence, the cost of a step, more processes."""

import errno
import importlib.metadata
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from genren import paths
from genren.errors import InputError
from genren.files import write_json

# PyTorch's CPU threads spin for milliseconds after every operation, on the cores that the renderer's threads want. Read
# when PyTorch is imported, which doors come before. Shorter is faster, shortest is slower (docs/performance.md).
os.environ.setdefault("GOMP_SPINCOUNT", "10000")


@contextmanager
def door() -> Iterator[None]:
    """Print a user's mistake as one sentence and exit with code 2; everything else is a bug and keeps its traceback."""
    try:
        yield
    except InputError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        print(f"Error: {error}; nothing that was there before is lost: make room and run it again", file=sys.stderr)
        raise SystemExit(2) from None


@contextmanager
def stage(step: str, item: str) -> Iterator[None]:
    """A DVC stage: a door that also notes what happened inside cost, and on what; a failed run leaves the last note."""
    start = time.perf_counter()
    with door():
        yield
    if os.environ.get("RANK", "0") != "0":
        return
    seconds = time.perf_counter() - start
    # ru_maxrss is in kibibytes on Linux, in bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
    cost = {
        "step": step,
        "item": item,
        "seconds": seconds,
        "peak_memory_gb": peak,
        "cpu_count": os.cpu_count(),
        # From the package's record: the report's door has no need of torch itself.
        "torch_version": importlib.metadata.version("torch"),
    }
    write_json(paths.cost(step, item), cost)


def spread(devices: int) -> None:
    """Start this same command again in as many processes, with torchrun, unless it is one of them already."""
    if devices == 1 or "TORCHELASTIC_RUN_ID" in os.environ:
        return
    # The processes share the cores; sharing the store of the rendezvous makes restarts hang (PyTorch 2.13).
    shared = str(max((os.cpu_count() or 1) // devices, 1))
    environment = {"OMP_NUM_THREADS": shared, "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"} | os.environ
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={devices}"]
    sys.stdout.flush()
    # In the place of this process, so that a signal reaches torchrun, which hands it on.
    os.execve(sys.executable, [*torchrun, *sys.orig_argv[1:]], environment)  # noqa: S606
