"""Patterns of cash-out mixed into honest traffic are found, and honest write-offs are left alone."""

from collections import defaultdict
from datetime import date, timedelta

import pytest

from services.redemption.findings.rules import View
from services.redemption.riskdays.rules import PAST_DAYS, Day, Trace, peers_of, roll_up
from services.redemption.signals.rules import judge
from shared.ids import HotId
from tests.support.frauds import DAYS, FIRST_DAY, Outcome, Story, told, weigh


def judged(story: Story) -> Outcome:
    """The story as the job sees it: day by day, from roll-ups."""
    traces: defaultdict[tuple[int, date], list[Trace]] = defaultdict(list)
    for mark in story.marks:
        traces[mark.institution, mark.day].append(mark.trace)
    pasts: list[list[Day]] = [[] for _ in story.habits]
    evidence: set[HotId] = set()
    held: set[HotId] = set()
    for ahead in range(DAYS):
        day = FIRST_DAY + timedelta(days=ahead)
        today = [roll_up(traces[place, day]) for place in range(len(story.habits))]
        peers = peers_of(today)
        for place, (one, figures) in enumerate(zip(story.habits, today, strict=True)):
            past = pasts[place][-PAST_DAYS:]
            for finding in judge(View(Day(day, figures), past, peers, hourly=one.hourly)):
                days = (finding.last - finding.first).days + 1
                window = [
                    trace for back in range(days) for trace in traces[place, finding.first + timedelta(back)]
                ]
                chosen = {trace.redemption for trace in finding.selects(window)}
                evidence |= chosen
                if finding.suggested == "hold_settlement":
                    held |= chosen
            pasts[place].append(Day(day, figures))
    return weigh(story, evidence, held)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_patterns_are_found_and_honest_write_offs_are_not_held(seed: int) -> None:
    outcome = judged(told(seed, institutions=60, patterns=24))
    print(f"seed {seed}: {outcome}", *outcome.missed, sep="\n  ")  # noqa: T201 - the figures are the point
    assert outcome.found / outcome.patterns >= 0.9
    assert outcome.honest_held <= 0.01
