"""The demonstration's story of both programmes, played over HTTP, each figure held against what was done."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

# Told what is being done and how much of it there is; returns what to call for each step done.
Stage = Callable[[str, int], Callable[[int], None]]


@dataclass(frozen=True, slots=True)
class Figure:
    """What the platform says beside what the story knows to be true."""

    name: str
    expected: object
    actual: object

    @property
    def ok(self) -> bool:
        return self.expected == self.actual


@dataclass(slots=True)
class Story:
    """What was made and found, for the closing table."""

    figures: list[Figure] = field(default_factory=list)
    # file name → content
    documents: dict[str, bytes] = field(default_factory=dict)
    # Who may sign in where, with what: (what it is, how), for the closing table.
    ways_in: list[tuple[str, str]] = field(default_factory=list)

    def check(self, name: str, expected: object, actual: object) -> None:
        self.figures.append(Figure(name, expected, actual))

    @property
    def ok(self) -> bool:
        return all(figure.ok for figure in self.figures)

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, "figures": [{**asdict(figure), "ok": figure.ok} for figure in self.figures]}
