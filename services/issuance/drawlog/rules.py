"""The chain of a phase's draw log and when it is sealed. Pure, so that anyone can recompute a root.

The head before the first draw is SHA-256 of "{slug}/{seq}/{seed_commitment}". Each draw makes the next one:
SHA-256 of the head so far (32 bytes) and the draw's line in the public log (its bytes, without the line's
end), in the order of the log. A root is the head as it stood at a full hour, or when the phase closed. It
commits to everything in the lines, the values too, and reveals none of it: each value is a keyed hash
whose key nobody knows before the end.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

_HOUR_SECONDS = 3600
# A draw is stamped when its request is taken up, and commits within 4.5 seconds; clocks of machines differ by
# less than the rest. The margin only keeps stamps true: that no draw is missed is seen to by the cut.
SEALED_AFTER = timedelta(seconds=10)


def first_head(slug: str, seq: int, seed_commitment: str) -> bytes:
    return hashlib.sha256(f"{slug}/{seq}/{seed_commitment}".encode()).digest()


def next_head(head: bytes, line: bytes) -> bytes:
    return hashlib.sha256(head + line).digest()


def due_seals(
    opens_at: datetime, closes_at: datetime, *, sealed_until: datetime | None, now: datetime
) -> Iterator[datetime]:
    """The moments at which the log is to be sealed next: full hours of the world's clock, and the close.

    A moment is due when the margin behind it is over.
    """
    at = max(opens_at, sealed_until or opens_at)
    while at < closes_at:
        at = min(_next_hour(at), closes_at)
        if at + SEALED_AFTER > now:
            return
        yield at


def _next_hour(moment: datetime) -> datetime:
    seconds = int(moment.timestamp()) // _HOUR_SECONDS * _HOUR_SECONDS + _HOUR_SECONDS
    return datetime.fromtimestamp(seconds, tz=moment.tzinfo)
