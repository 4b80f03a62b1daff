"""Many people at the same moment, but never more than the platform should meet at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

ItemT = TypeVar("ItemT")


async def at_once(
    items: Iterable[ItemT], act: Callable[[ItemT], Awaitable[object]], *, concurrent: int
) -> None:
    """Acts on every item, on so many at a time; the first failure ends them all."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await act(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(concurrent):
            group.create_task(worker())
