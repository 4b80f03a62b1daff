"""Long computations beside the event loop, so that everybody else is answered meanwhile."""

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from shared.errors import Busy

P = ParamSpec("P")
T = TypeVar("T")

# A computation takes a few seconds at most: whoever would wait for more than these is told to come again.
WAITING_MAX = 4
_RETRY_AFTER_SECONDS = 5


class Computing:
    """One thread: two long computations at once would only take each other's time, and the loop's.

    A caller that goes away while its computation runs does not stop it, and does not make room for another.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="computing")
        self._waiting = 0

    async def run(self, compute: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises Busy when too many wait already."""
        if self._waiting >= WAITING_MAX:
            raise Busy(retry_after_seconds=_RETRY_AFTER_SECONDS)
        self._waiting += 1
        work = self._thread.submit(functools.partial(compute, *args, **kwargs))
        loop = asyncio.get_running_loop()
        work.add_done_callback(lambda _: loop.call_soon_threadsafe(self._one_less))
        return await asyncio.wrap_future(work, loop=loop)

    def _one_less(self) -> None:
        self._waiting -= 1
