"""The system's secure randomness for those who need much of it."""

import os
from random import SystemRandom

from typing_extensions import override

_POOL_BYTES = 4096


class PooledRandom(SystemRandom):
    """Like SystemRandom, but asks the system once for many numbers: each question costs 1 µs.

    Every byte is used once. Belongs to one thread of one process: a copy in a forked one would repeat it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pool = b""
        self._place = 0

    @override
    def getrandbits(self, k: int, /) -> int:
        count = (k + 7) // 8
        if self._place + count > len(self._pool):
            self._pool, self._place = os.urandom(max(_POOL_BYTES, count)), 0
        piece = self._pool[self._place : self._place + count]
        self._place += count
        return int.from_bytes(piece) >> (8 * count - k)
