"""What surrounds the loop: the progress bar, requests to stop, numbers that are not finite."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from genren.engine import ranks
from genren.errors import TrainingDiverged
from genren.train.live import Curves


@contextmanager
def progress(title: str, total: int) -> Iterator[Callable[[int, str], None]]:
    """A bar that is told the step and the name of its stage; rank 0's alone is seen."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, disable=ranks.rank() > 0) as bar:
        task = bar.add_task(title, total=total)
        yield lambda step, stage: bar.update(task, completed=step, description=f"{title} {stage}")


@contextmanager
def stop_request() -> Iterator[Callable[[], bool]]:
    """Turn SIGINT and SIGTERM, sent to any rank, into a question that all ranks ask between steps."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    old = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: ranks.agree(asked)
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


@contextmanager
def diverging(step: int, curves: Curves) -> Iterator[None]:
    """Turn the operators' refusal of coordinates that are not finite into the end of a diverging run."""
    try:
        yield
    except TrainingDiverged:
        raise
    except ValueError as error:
        if "finite" not in str(error):
            raise
        # A loss or a gradient of an earlier step, not yet looked at, says more.
        curves.look()
        raise TrainingDiverged(f"training diverged at step {step}: {error}; {curves.kept()}") from error
