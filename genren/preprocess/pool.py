"""Packing models on several cores, in order."""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager

from genren.data.raw import Packed, Task, pack

# Fewer models than these are done before the processes have started.
WORTH_IT = 64
AHEAD = 3  # tasks per process that are under way; more would only fill memory


def packed(tasks: list[Task], workers: int) -> Iterator[Packed | str]:
    """Results of `pack`, in the order of `tasks`.

    Threads would not do: Pillow decodes PNGs under the interpreter's lock.
    """
    if workers == 1 or len(tasks) < WORTH_IT:
        yield from map(pack, tasks)
        return
    # A fresh process, since a fork would take over the locks of torch's and Arrow's threads.
    context = multiprocessing.get_context("spawn")
    waiting: deque[Future[Packed | str]] = deque()
    with _one_thread_each(), ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            for task in tasks:
                waiting.append(pool.submit(pack, task))
                if len(waiting) >= AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that are started inside do their matrix products on one core: there is one process for each."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
