"""When requests are due, in seconds from a run's start. Pure and seeded."""

from collections.abc import Sequence
from random import Random


def even(count: int, seconds: float) -> list[float]:
    """One after the other, like tills that are never all at once."""
    return [seconds * place / count for place in range(count)]


def scattered(count: int, seconds: float, rng: Random) -> list[float]:
    """Each at a moment of its own: people do not agree about when."""
    return sorted(rng.random() * seconds for _ in range(count))


def opening(people: int, seconds: float, first_second: float, rng: Random) -> list[float]:
    """The share `first_second` within the first second, the others evenly over all of the time."""
    early = round(people * first_second)
    moments = [rng.random() for _ in range(early)]
    moments += [rng.random() * seconds for _ in range(people - early)]
    return sorted(moments)


def polls(
    dashboards: int, every: float, seconds: float, requests: Sequence[bytes]
) -> list[tuple[float, bytes]]:
    """Each dashboard asks for everything every so many seconds; they began at different moments."""
    due = []
    for number in range(dashboards):
        at = every * number / dashboards
        while at < seconds:
            due += [(at, request) for request in requests]
            at += every
    return sorted(due, key=lambda one: one[0])
