"""Figures that hundreds look at: who asks now and then gets them fresh, a crowd shares what one of it got."""

from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar, cast

from shared.clock import machine_seconds

ValueT = TypeVar("ValueT")

# So often in a row an answer is made anew: a person who looks, acts and looks again sees what was done.
FRESH_IN_A_ROW = 20
# Under a crowd that never pauses it is made anew this often, by each process: as often as a dashboard asks.
FRESH_EVERY_SECONDS = 5.0
# Campaigns, institutions and programmes that are looked at; the one that was asked for first goes first.
KEYS_MAX = 256


@dataclass(slots=True)
class _Kept:
    value: object
    loaded_at: float
    allowance: float
    counted_at: float

    def may_load(self, now: float) -> bool:
        """Takes one of the loads that are allowed; they come back with time."""
        back = (now - self.counted_at) / FRESH_EVERY_SECONDS
        self.allowance, self.counted_at = min(FRESH_IN_A_ROW, self.allowance + back), now
        if self.allowance < 1:
            return False
        self.allowance -= 1
        return True


class Looks:
    """Values by key; each key has values of one type. What cannot be loaded is not kept."""

    def __init__(self, seconds: Callable[[], float] = machine_seconds) -> None:
        self._seconds = seconds
        self._kept: dict[Hashable, _Kept] = {}

    async def get(self, key: Hashable, load: Callable[[], Awaitable[ValueT]]) -> ValueT:
        """The value loaded now, or under a crowd the one that was loaded at most some seconds ago."""
        started, kept = self._seconds(), self._kept.get(key)
        if kept is not None and not kept.may_load(started):
            return cast("ValueT", kept.value)
        value = await load()
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= KEYS_MAX:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = _Kept(value, started, FRESH_IN_A_ROW - 1, started)
        elif started >= kept.loaded_at:
            # Of two that load at the same time the later one has seen more.
            kept.value, kept.loaded_at = value, started
        return value
