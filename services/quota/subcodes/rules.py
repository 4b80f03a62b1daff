"""What a sub-code may be called, and how its counts are put together. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["department", "channel", "staff"]
LABEL_LENGTH_MAX = 40
# A large hospital's departments and ward staff; one page of the table.
IN_USE_MAX = 500
# Eleven digits in a row are somebody's phone number, and more an identity number: neither goes on a wall.
_PERSONAL = re.compile(r"(?:[0-9][ -]?){11}")


def is_personal(label: str) -> bool:
    return _PERSONAL.search(label) is not None


@dataclass(frozen=True, slots=True)
class Counts:
    """Scans, cards issued and cards used."""

    scans: int = 0
    issued: int = 0
    used: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.scans + other.scans, self.issued + other.issued, self.used + other.used)


def added(counts: Mapping[str, Counts], scenes: Iterable[str]) -> Counts:
    """What all of these codes came to."""
    total = Counts()
    for scene in scenes:
        total += counts.get(scene, Counts())
    return total
