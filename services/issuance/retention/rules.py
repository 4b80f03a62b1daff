"""How the work of the retention clock is cut into pieces. Pure."""

from collections.abc import Iterator

from shared.ids import BUCKETS

_RANGE = 64


def bucket_ranges() -> Iterator[tuple[int, int]]:
    """All buckets, in parts that each fit a transaction."""
    for first in range(0, BUCKETS, _RANGE):
        yield first, first + _RANGE - 1
