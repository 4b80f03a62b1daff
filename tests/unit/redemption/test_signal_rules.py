"""Each signal speaks from its threshold on, not before, and picks the write-offs that it is about."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.redemption.circles import rules as circles
from services.redemption.findings.rules import SCORE_MAX, WINDOW_DAYS, Finding, View, terminal_of
from services.redemption.handling import rules as handling
from services.redemption.paces import rules as paces
from services.redemption.riskdays import rules as riskdays
from services.redemption.riskdays.rules import NIGHT, Day, Figures, Origin, Peers, Trace, roll_up
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
    first = judged(crowd, past=days(10, live=20, peak=5))["capacity"]
    assert (first.reasons[0].threshold, first.suggested) == (15, "watch")
    crowded_before = [*days(10, live=20, peak=5)[:-1], *days(1, live=20, peak=18)]
    assert judged(crowd, past=crowded_before)["capacity"].suggested == "hold_settlement"
    assert judged(crowd, peers=Peers(peak=5), past=crowded_before[-3:])["capacity"].suggested == "watch"
    assert judged(crowd, past=days(10, live=20, peak=7)) == {}
    assert judged(crowd, past=days(10, live=20, peak=2), peers=Peers(peak=7)) == {}
    assert judged(crowd[:16], past=days(10, live=20, peak=5))["capacity"].suggested == "watch"


def test_reversed_and_redeemed_again() -> None:
    done = plain(handling.REDONE_COUNT)
    undone = [replace(one, redemption=HotId(1, new_id()), live=False) for one in done]
    many = plain(30)
    found = judged([*many, *done, *undone])
    assert set(found) == {"reversals"}
    assert judged([*many, *plain(30), *done, *undone]) == {}
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


def test_three_households_of_a_village_are_no_ring_and_four_of_a_gang_are() -> None:
    def past(holders: range) -> list[Day]:
        return [
            Day(TODAY - timedelta(days=back), Figures(live=4, holders=tuple(holders)))
            for back in (4, 3, 2, 1)
        ]

    assert judged([trace(holder=-1)], past=past(range(-3, 0))) == {}
    assert "closed_group" in judged([trace(holder=-1)], past=past(range(-4, 0)))


def origin(holders: int, **more: object) -> Origin:
    plain = Origin("device", 7, holders=holders, count=holders, used=holders, last=TODAY)
    return replace(plain, **more)  # type: ignore[arg-type] # the fields of an origin


def shared(*origins: Origin, traces: Sequence[Trace] = ()) -> dict[str, Finding]:
    view = View(Day(TODAY, roll_up(traces)), (), Peers(), origins=origins)
    return {finding.kind: finding for finding in judge(view)}


def test_many_holders_of_one_device_are_looked_at_and_a_brokers_are_held() -> None:
    assert shared(origin(circles.DEVICE_HOLDERS - 1)) == {}
    assert shared(origin(circles.DEVICE_HOLDERS))["shared_device"].suggested == "watch"
    found = shared(origin(9), origin(6, number=8), origin(3, number=9))["shared_device"]
    assert (found.suggested, found.first) == ("hold_settlement", TODAY - timedelta(days=WINDOW_DAYS - 1))
    traces = [
        trace(1, device=7),
        trace(2, device=8),
        trace(3, device=9),
        trace(4),
        trace(5, device=7, live=False),
    ]
    assert {one.holder for one in found.selects(traces)} == {1, 2}


def test_a_kiosk_whose_vouchers_are_used_everywhere_is_left_alone() -> None:
    assert shared(origin(30, used=61)) == {}
    assert "shared_device" in shared(origin(30, used=60))


def test_holders_who_came_on_other_days_only_are_not_found_again() -> None:
    assert shared(origin(30, last=TODAY - timedelta(days=1))) == {}


def test_an_address_says_whom_to_ask_and_never_what_to_hold() -> None:
    assert shared(origin(circles.ADDRESS_HOLDERS - 1, kind="address")) == {}
    found = shared(origin(500, kind="address"))["shared_address"]
    assert found.suggested == "watch"
    traces = [replace(trace(1), place=7), replace(trace(2), place=8), trace(3, device=7)]
    assert [one.holder for one in found.selects(traces)] == [1]


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


# Sixty traces an example: a busy machine takes its time, and that is no fault.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


@UNHURRIED
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


@UNHURRIED
@given(TRACES)
def test_every_finding_has_a_score_its_reasons_and_evidence_out_of_the_day(traces: list[Trace]) -> None:
    for finding in judged(traces, past=days(10), hourly=8).values():
        assert 0 <= finding.score <= SCORE_MAX
        assert finding.reasons
        picked = finding.selects(traces)
        assert picked
        assert {one.redemption for one in picked} <= {one.redemption for one in traces}
