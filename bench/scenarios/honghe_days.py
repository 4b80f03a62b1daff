"""Who comes on which day of the demonstration's campaign, and what they do there. Pure and seeded.

Invented, as everything in the demonstration that the report does not say: participation falls over the first
days as published, comes back at the weekend, and the last day has only just begun.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

# Visitors of each day, from Sunday 2020-11-01 on.
VISITORS = (64, 54, 46, 38, 34, 36, 44, 50, 30, 16)
# Fewer leave nothing to settle before the burst and the upload.
DAYS_MIN = 5
_SEED = 20201101
_FIRST_PERSON = 1_000_000
_NEW_SHARE = 0.55
_PASS_SHARE = 0.6
_ATTEMPTS_MAX = 3
_SHARE_SHARE, _LEAD_SHARE, _CHECK_IN_SHARE = 0.22, 0.1, 0.4
# On most days there is something to go to: 线下活动 or 全民健身.
_EVENTS = ("event", "fitness", None, "event", "fitness", None, "event", "fitness", None, "fitness")

# What winners wish for: like the published shares, but each type often enough to be seen.
WISHES: Mapping[str, int] = {
    "checkup": 6,
    "nucleic_acid_test": 3,
    "health_training": 2,
    "disinfection_kit": 4,
    "fitness": 3,
    "general_50": 7,
    "general_100": 5,
}


@dataclass(frozen=True, slots=True)
class Visit:
    """`slips`: the wrong answers of each attempt that passes. The last attempt passes, or none does."""

    person: int
    attempts: int
    passes: bool
    slips: int
    shares: bool
    reports: bool
    checks_in: bool


def event_of(day: int) -> str | None:
    """The channel of the day's event, if there is one."""
    return _EVENTS[day]


def visits(days: int) -> list[list[Visit]]:
    """The visits of each of the first `days` days; a person comes once a day and may come back."""
    rng = Random(_SEED)
    known: list[int] = []
    planned = []
    for day, count in enumerate(VISITORS[:days]):
        new = count if day == 0 else max(round(count * _NEW_SHARE), count - len(known))
        newcomers = list(range(_FIRST_PERSON + len(known), _FIRST_PERSON + len(known) + new))
        back = rng.sample(known, count - new)
        known += newcomers
        planned.append([_visit(rng, person, day) for person in rng.sample([*newcomers, *back], count)])
    return planned


def newcomers(planned: Sequence[Sequence[Visit]], day: int) -> list[int]:
    """Who comes on that day for the first time."""
    before = {visit.person for earlier in planned[:day] for visit in earlier}
    return [visit.person for visit in planned[day] if visit.person not in before]


def _visit(rng: Random, person: int, day: int) -> Visit:
    attempts = passed = 0
    while attempts < _ATTEMPTS_MAX and not passed:
        attempts += 1
        passed = rng.random() < _PASS_SHARE
        if not passed and rng.random() < _PASS_SHARE:
            break
    return Visit(
        person=person,
        attempts=attempts,
        passes=bool(passed),
        slips=rng.choice((0, 0, 1, 1, 2)),
        shares=rng.random() < _SHARE_SHARE,
        reports=rng.random() < _LEAD_SHARE,
        checks_in=event_of(day) is not None and rng.random() < _CHECK_IN_SHARE,
    )
