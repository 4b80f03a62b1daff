"""The plan of the Honghe replay: who attempts when, who passes, what a winner wishes. Pure and seeded."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from shared.money import PPM, split_fen

# Assumed, not published: how many attempts a person makes on one day (the rule allows three).
_ATTEMPTS_A_DAY = (1, 1, 2, 3)


@dataclass(frozen=True, slots=True)
class PlannedAttempt:
    person: int
    passes: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """`days[d]` lists the attempts of day d; a person's attempts of a day stand together."""

    days: tuple[tuple[tuple[PlannedAttempt, ...], ...], ...]
    persons: int
    chances: int

    @property
    def attempts(self) -> int:
        return sum(len(visit) for day in self.days for visit in day)


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Whole parts of `total` in proportion to the weights, adding up exactly (largest remainder)."""
    whole = sum(weights)
    shares = [weight * PPM // whole for weight in weights]
    shares[0] += PPM - sum(shares)
    return split_fen(total, shares)


def make_plan(published: Mapping[str, Any], *, scale: float, seed: int) -> Plan:
    """The published days at `scale`: attempts with the demo daily shape, passes in the published share.

    Every person passes at most once, so that the person limits (assumed values) never bite: the
    published 3,085 are counted per attempt, not per person.
    """
    rng = Random(seed)
    attempts = apportion(round(published["quiz_attempts"] * scale), published["demo_daily_attempts"])
    chances = min(round(published["draw_chances"] * scale), sum(attempts))
    passes = apportion(chances, attempts)
    days: list[tuple[tuple[PlannedAttempt, ...], ...]] = []
    passed: set[int] = set()
    # So many people that nobody has to come every day, few enough that many come back.
    persons = max(1, math.ceil(max(attempts) * 0.9))
    for count, wins in zip(attempts, passes, strict=True):
        visits = _visits(rng, count, persons)
        eligible = [place for place, (person, _) in enumerate(visits) if person not in passed]
        lucky = set(rng.sample(eligible, wins))
        passed.update(visits[place][0] for place in lucky)
        days.append(
            tuple(
                tuple(
                    PlannedAttempt(person, passes=place in lucky and attempt == times - 1)
                    for attempt in range(times)
                )
                for place, (person, times) in enumerate(visits)
            )
        )
    return Plan(days=tuple(days), persons=persons, chances=chances)


def _visits(rng: Random, attempts: int, persons: int) -> list[tuple[int, int]]:
    """(person, attempts on this day), each person once a day, adding up to `attempts`."""
    visits: list[tuple[int, int]] = []
    left = attempts
    for person in rng.sample(range(persons), persons):
        if left == 0:
            break
        times = min(rng.choice(_ATTEMPTS_A_DAY), left)
        visits.append((person, times))
        left -= times
    if left:
        raise ValueError("too few persons for the day's attempts")
    return visits


def wishes(rng: Random, issued_by_type: Mapping[str, int], types: Sequence[str]) -> list[str]:
    """A winner's wishes, first by the published shares, then whatever is left.

    The report gives one figure for both general types; which of the two is assumed to be even.
    """
    first = rng.choices(list(issued_by_type), weights=list(issued_by_type.values()))[0]
    if first == "general":
        first = rng.choice(("general_50", "general_100"))
    others = [voucher_type for voucher_type in types if voucher_type != first]
    return [first, *rng.sample(others, len(others))]


def shifted(definition: Mapping[str, Any], now: datetime, slug: str) -> dict[str, Any]:
    """The definition under another slug, its phases moved by whole days so that the first lies ahead."""
    first = datetime.fromisoformat(definition["phases"][0]["opens_at"])
    days = max(0, (now - first).days + 1) if now >= first else 0
    phases = [
        {
            **phase,
            **{
                edge: (datetime.fromisoformat(phase[edge]) + timedelta(days=days)).isoformat()
                for edge in ("opens_at", "closes_at")
            },
        }
        for phase in definition["phases"]
    ]
    return {**definition, "slug": slug, "phases": phases}


def binomial_band(draws: int, odds: float, *, sigmas: float = 3.29) -> tuple[int, int]:
    """The wins that 99.9 % of all honest draws lie between (normal approximation, both ends inside)."""
    spread = sigmas * math.sqrt(draws * odds * (1 - odds)) + 0.5
    return math.ceil(draws * odds - spread), math.floor(draws * odds + spread)
