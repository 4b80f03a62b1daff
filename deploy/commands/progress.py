"""Progress on a terminal: bars for people, plain lines where nobody watches."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Advance = Callable[[int], None]
Stage = Callable[[str, int], Advance]

# Progress is for people: standard output keeps to results.
console = Console(stderr=True)
# Wide enough for every table of ours where no terminal says how wide it is.
_WIDTH_OFF_TERMINAL = 160


def results_console() -> Console:
    """For the tables that a command ends with."""
    return Console(width=None if sys.stdout.isatty() else _WIDTH_OFF_TERMINAL)


@contextmanager
def stages() -> Iterator[Stage]:
    """Yields a function that begins a stage (name, steps) and returns what to call for steps done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:

        def stage(name: str, steps: int) -> Advance:
            if not console.is_terminal:
                console.print(f"{name} ({steps:,})", highlight=False)
            task = progress.add_task(name, total=steps)

            def advance(done: int) -> None:
                progress.advance(task, done)

            return advance

        yield stage
