"""Each signal speaks from its threshold on, not before, and picks the write-offs that it is about."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.redemption.findings.rules import SCORE_MAX, WINDOW_DAYS, Finding, View, terminal_of
from services.redemption.handling import rules as handling
from services.redemption.paces import rules as paces
from services.redemption.riskdays import rules as riskdays
from services.redemption.riskdays.rules import NIGHT, Day, Figures, Peers, Trace, roll_up
from services.redemption.signals.rules import judge
from shared.clock import CHINA
from shared.ids import HotId, new_id

TODAY = date(2020, 11, 18)


def trace(place: int = 0, **more: object) -> Trace:
    """Nothing odd about it: its own holder, its own bill, hours after it was issued."""
    hour = 9 + place % 8
    at = datetime(2020, 11, 18, hour, 30, tzinfo=CHINA)
    plain = Trace(
        redemption=HotId(place % 1024, new_id()),
        terminal_id="trm_a",
        voucher=new_id(),
        holder=place,
        bill_fen=6_000 + place,
        face_fen=5_000,
        issued_at=at - timedelta(hours=3),
        redeemed_at=at,
        hour=hour,
        manual=False,
        live=True,
    )
    return replace(plain, **more)  # type: ignore[arg-type] # the fields of a trace


def plain(count: int) -> list[Trace]:
    return [trace(place) for place in range(count)]


def prompt(one: Trace) -> Trace:
    return replace(one, issued_at=one.redeemed_at - timedelta(minutes=5))


def judged(
    traces: Sequence[Trace],
    *,
    past: Sequence[Day] = (),
    peers: Peers | None = None,
    hourly: int | None = None,
    closed: frozenset[int] = NIGHT,
) -> dict[str, Finding]:
    view = View(Day(TODAY, roll_up(traces)), past, peers or Peers(), hourly, closed)
    return {finding.kind: finding for finding in judge(view)}


def days(count: int, *, live: int = 10, peak: int = 2) -> list[Day]:
    hours = (peak,) + (0,) * 23
    return [
        Day(TODAY - timedelta(days=back), Figures(live=live + back % 3, hours=hours))
        for back in range(count, 0, -1)
    ]


def test_an_ordinary_day_says_nothing() -> None:
    assert judged(plain(40), past=days(10)) == {}
    assert judged([]) == {}


BENT = [
    ("burst", paces.BURST_COUNT, prompt),
    ("hours", paces.HOURS_COUNT, lambda one: replace(one, hour=3)),
    ("amounts", handling.FACE_COUNT, lambda one: replace(one, bill_fen=one.face_fen)),
    ("amounts", handling.SAME_COUNT, lambda one: replace(one, bill_fen=8_800)),
    ("manual", handling.MANUAL_COUNT, lambda one: replace(one, manual=True)),
    ("reversals", handling.REVERSED_COUNT, lambda one: replace(one, live=False)),
]


@pytest.mark.parametrize(("kind", "count", "bend"), BENT)
def test_a_signal_speaks_from_its_count_on_and_picks_what_it_is_about(
    kind: str, count: int, bend: object
) -> None:
    assert callable(bend)
    bent = [bend(trace(100 + place)) for place in range(count)]
    found = judged([*plain(3), *bent])
    assert set(found) == {kind}
    assert {one.redemption for one in found[kind].selects([*plain(3), *bent])} == {
        one.redemption for one in bent
    }
    assert judged([*plain(3), *bent[:-1]]) == {}


@pytest.mark.parametrize(("kind", "count", "bend"), BENT)
def test_among_many_ordinary_ones_the_same_is_nothing(kind: str, count: int, bend: object) -> None:
    assert callable(bend)
    assert kind not in judged([*plain(200), *(bend(trace(300 + place)) for place in range(count))])


def test_what_all_peers_show_is_not_the_institutions() -> None:
    burst = [prompt(one) for one in plain(10)] + plain(5)
    assert "burst" in judged(burst)
    assert "burst" not in judged(burst, peers=Peers(prompt_share=0.5))
    manual = [replace(one, manual=True) for one in plain(10)] + plain(10)
    assert "manual" in judged(manual)
    assert "manual" not in judged(manual, peers=Peers(manual_share=0.4))


def test_more_in_an_hour_than_declared_than_usual_or_than_peers() -> None:
    crowd = [trace(place, hour=10) for place in range(20)]
    assert judged(crowd) == {}
    assert judged(crowd, hourly=20) == {}
    declared = judged(crowd, hourly=19)["capacity"]
    assert declared.suggested == "hold_settlement"
    assert declared.reasons[0].code == "hourly_over_declared"
    usual = judged(crowd, past=days(10, live=20, peak=5))["capacity"]
    assert (usual.reasons[0].threshold, usual.suggested) == (15, "hold_settlement")
    assert judged(crowd, past=days(10, live=20, peak=7)) == {}
    assert judged(crowd, past=days(10, live=20, peak=2), peers=Peers(peak=7)) == {}
    assert judged(crowd[:16], past=days(10, live=20, peak=5))["capacity"].suggested == "watch"


def test_reversed_and_redeemed_again() -> None:
    done = plain(handling.REDONE_COUNT)
    undone = [replace(one, redemption=HotId(1, new_id()), live=False) for one in done]
    many = plain(60)
    found = judged([*many, *done, *undone])
    assert set(found) == {"reversals"}
    picked = found["reversals"].selects([*many, *done, *undone])
    assert {one.redemption for one in picked} == {one.redemption for one in [*done, *undone]}


def test_a_ring_that_comes_together_is_found_among_many_and_a_family_is_not() -> None:
    def on(back: int, ring: range) -> Day:
        strangers = range(1_000 * (back + 1), 1_000 * (back + 1) + 60)
        return Day(TODAY - timedelta(days=back), Figures(live=60 + len(ring), holders=(*ring, *strangers)))

    today = [*plain(60), *(trace(500, holder=holder) for holder in range(-5, 0))]
    ring = judged(today, past=[on(back, range(-5, 0)) for back in (5, 3, 1)])["closed_group"]
    assert {one.holder for one in ring.selects(today)} == set(range(-5, 0))
    assert ring.first == TODAY - timedelta(days=WINDOW_DAYS - 1)
    assert ring.window.weekday() == 0
    family = judged(today, past=[on(back, range(-3, 0)) for back in (5, 3, 1)])
    assert family == {}


def test_regulars_who_come_on_their_own_days_are_no_ring() -> None:
    random = Random(1)
    past = []
    for back in range(13, 0, -1):
        regulars = random.sample(range(-12, 0), 7)
        strangers = range(1_000 * back, 1_000 * back + 40)
        figures = Figures(live=47, holders=(*regulars, *strangers))
        past.append(Day(TODAY - timedelta(days=back), figures))
    assert "closed_group" not in judged([*plain(40), trace(500, holder=-1)], past=past)


def test_a_jump_is_told_and_only_watched() -> None:
    found = judged(plain(50), past=days(10, live=10, peak=10))
    assert (set(found), found["jump"].suggested) == ({"jump"}, "watch")
    assert judged(plain(50), past=days(riskdays.PAST_ENOUGH - 1, live=10, peak=10)) == {}
    assert judged(plain(40), past=days(10, live=10, peak=10)) == {}


def test_closed_hours_are_those_without_a_span() -> None:
    hours = {"wed": ["08:30-12:00", "14:00-17:30"]}
    assert riskdays.closed_hours(hours, TODAY) == frozenset(range(24)) - {8, 9, 10, 11, 14, 15, 16, 17}
    assert riskdays.closed_hours(hours, TODAY + timedelta(days=1)) == frozenset(range(24))
    assert riskdays.closed_hours(None, TODAY) == NIGHT


def test_peers_need_to_be_several() -> None:
    active = Figures(live=10, prompt=5, manual=1, hours=(4,) * 24)
    assert riskdays.peers_of([active] * (riskdays.PEERS_COUNT - 1)) == Peers()
    idle = Figures(live=1, prompt=1)
    assert riskdays.peers_of([active] * riskdays.PEERS_COUNT + [idle] * 9) == Peers(0.5, 0.1, 4)


def test_a_terminal_is_named_when_nearly_all_came_from_it() -> None:
    assert terminal_of(plain(3)) == "trm_a"
    assert terminal_of([*plain(3), trace(9, terminal_id="trm_b")]) is None
    assert terminal_of([*plain(4), trace(9, terminal_id="trm_b")]) == "trm_a"


TRACES = st.lists(
    st.builds(
        trace,
        st.integers(0, 200),
        hour=st.integers(0, 23),
        manual=st.booleans(),
        live=st.booleans(),
        bill_fen=st.sampled_from([None, 5_000, 6_000, 7_777]),
        holder=st.integers(0, 5),
    ),
    max_size=60,
)


@given(TRACES, st.randoms(use_true_random=False))
def test_rolling_up_does_not_depend_on_the_order(traces: list[Trace], random: Random) -> None:
    shuffled = list(traces)
    random.shuffle(shuffled)
    figures = roll_up(traces)
    assert roll_up(shuffled) == figures
    assert figures.live + figures.reversed == len(traces)
    assert sum(figures.hours) == len(figures.holders) == figures.live
    assert max(figures.manual, figures.billed, figures.prompt, figures.redone) <= figures.live
    assert figures.face_bills + figures.same_bills <= figures.billed


@given(TRACES)
def test_every_finding_has_a_score_its_reasons_and_evidence_out_of_the_day(traces: list[Trace]) -> None:
    for finding in judged(traces, past=days(10), hourly=8).values():
        assert 0 <= finding.score <= SCORE_MAX
        assert finding.reasons
        picked = finding.selects(traces)
        assert picked
        assert {one.redemption for one in picked} <= {one.redemption for one in traces}
