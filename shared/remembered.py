"""What a process keeps in mind for a moment, so that a hot path need not ask for what rarely changes.

Never for what decides: limits, stock and states are decided in SQL, from the rows as they are.
"""

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from shared.clock import machine_seconds

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class Remembered(Generic[KeyT, ValueT]):
    """Values by key, each loaded again when it is older than `seconds`.

    A key that cannot be loaded is not kept, so strangers' keys take no memory.
    """

    def __init__(self, load: Callable[[KeyT], Awaitable[ValueT]], *, seconds: float) -> None:
        self._load = load
        self._seconds = seconds
        self._kept: dict[KeyT, tuple[float, ValueT]] = {}

    async def get(self, key: KeyT, *, fresh: bool = False) -> ValueT:
        """`fresh` loads it anew: for a caller that was told that its view is out of date."""
        kept = self._kept.get(key)
        if kept is not None and not fresh and kept[0] > machine_seconds():
            return kept[1]
        value = await self._load(key)
        self._kept[key] = (machine_seconds() + self._seconds, value)
        return value
