"""Signals of stuffed cards, judged on one day of a hospital's code. Pure.

Each signal has named thresholds, a score (60 at the threshold, 100 where hardly anything else explains it)
and reasons: what was seen beside what would still be usual. What honest crowds do is known: a campaign day
and a school class come with scans and many telephones, a desk works at a person's pace and not to the
second, and whoever asked for a card uses it as often as others do.
"""

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Literal

from shared.binomial import two_sided_p
from shared.money import PPM

Signal = Literal["burst", "regular", "unused", "devices"]

# Own days that say what is usual, and how many of them are enough to say so.
PAST_DAYS, PAST_ENOUGH = 28, 5
# Fewer hospitals than this are no peers to be compared with.
PEERS_ENOUGH = 5
# A code with hardly any cards says nothing about what is usual.
PEERS_CARDS = 5
# The use of a day's cards is compared with all hospitals' of the fortnight before: all had their time.
PEERS_BEFORE = timedelta(days=14)

# Two people at a desk enrol at most one a minute each; a hall full of telephones can do more, but scans.
BURST_WINDOW = timedelta(minutes=10)
BURST_COUNT, BURST_TIMES, BURST_CERTAIN = 30, 4.0, 20.0
# Honest cards come after a scan; a card or two for each scan is a family. Where not even the programme's
# scans come to this share of its cards, codes are scanned elsewhere and scans say nothing.
SCANS_SHARE = 0.5
# A crowd has about as many telephones as people.
TELEPHONES_SHARE = 0.3

# Twenty cards that each come one and the same time after another: people scatter by a third and more.
CHAIN, CHAIN_CERTAIN = 20, 60
CHAIN_TOLERANCE = 0.06
PERIOD_MIN_SECONDS, PERIOD_MAX_SECONDS = 5.0, 900.0
# Among so many cards that one falls within a step's tolerance by chance that often, a chain says nothing.
CHAIN_CHANCE = 0.4

# When a card had its time to be used; a share far below the peers' cannot be chance.
MATURE = timedelta(days=30)
UNUSED_COUNT, UNUSED_SHARE, UNUSED_CERTAIN = 30, 0.5, 0.1
# Below this hardly anybody's cards are used (or their use is not told), and it says nothing.
PEERS_USED_SHARE = 0.15
# What a hospital whose patients use cards seldom still has of the peers' share.
SELDOM_SHARE = 0.63
UNUSED_CHANCE = 1e-3

# A family has five; a desk's tablet has many, at the pace at which a form is filled in.
DEVICE_COUNT, DEVICE_CERTAIN = 10, 40
DEVICE_PACE_SECONDS = 30.0

# Files often tell the day or the minute only: then seconds say nothing.
SAME_MOMENT_SHARE = 0.5
WHOLE_MINUTES_SHARE = 0.9

SCORE_AT_THRESHOLD, SCORE_MAX = 60, 100


@dataclass(frozen=True, slots=True)
class Trace:
    """A card as the signals see it; `device` tells devices of the day apart (None: not told)."""

    card: int
    at: datetime
    used: bool
    device: int | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """A day of a code in figures; `busiest` is its busiest ten minutes."""

    issued: int = 0
    used: int = 0
    busiest: int = 0
    scans: int = 0


@dataclass(frozen=True, slots=True)
class Peers:
    """Medians of a programme's hospitals; of too few there is none.

    Scans for each card and the busiest ten minutes are of the day, the share of used ones of a fortnight.
    """

    scans_per_card: float | None = None
    busiest: float | None = None
    used_share: float | None = None


@dataclass(frozen=True, slots=True)
class View:
    """What a day is judged by. `past`: the code's earlier days; `mature`: its cards had their time."""

    traces: Sequence[Trace]
    figures: Figures
    past: Sequence[Figures]
    peers: Peers
    mature: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """What was seen (`value`) and from where on it counts (`threshold`), under a stable word."""

    code: str
    value: float
    threshold: float


@dataclass(frozen=True, slots=True)
class Finding:
    """`cards` are the evidence, as numbers of the traces."""

    kind: Signal
    score: int
    reasons: tuple[Reason, ...]
    cards: tuple[int, ...]


_WORDS: Mapping[str, tuple[str, str]] = {
    "cards_in_ten_minutes": (
        "十分钟内发卡 {value:.0f} 张，超过 {threshold:.0f} 张",
        "{value:.0f} cards within ten minutes, above {threshold:.0f}",
    ),
    "scans_per_card": (
        "当日每张卡对应扫码 {value:.2f} 次，低于 {threshold:.2f} 次",
        "{value:.2f} scans for each card of the day, below {threshold:.2f}",
    ),
    "devices_per_card": (
        "每张卡对应设备 {value:.2f} 台，低于 {threshold:.2f} 台",
        "{value:.2f} devices for each card, below {threshold:.2f}",
    ),
    "cards_at_one_interval": (
        "{value:.0f} 张卡的间隔几乎相同，达到 {threshold:.0f} 张即不像人工办理",
        "{value:.0f} cards follow each other at one interval; {threshold:.0f} are more than people do",
    ),
    "interval_seconds": (
        "间隔约 {value:.0f} 秒",
        "the interval is about {value:.0f} seconds",
    ),
    "used_share": (
        "一个月后使用率 {value:.0%}，低于同期水平折算的 {threshold:.0%}",
        "{value:.0%} were used after a month, below {threshold:.0%} by the peers' measure",
    ),
    "cards_of_one_device": (
        "一台设备办理 {value:.0f} 张卡，达到 {threshold:.0f} 张",
        "{value:.0f} cards came from one device, {threshold:.0f} are too many",
    ),
    "seconds_between_cards": (
        "同一设备两张卡间隔的中位数为 {value:.0f} 秒，短于填表所需的 {threshold:.0f} 秒",
        "{value:.0f} seconds lie between two cards of the device, a form takes {threshold:.0f}",
    ),
}


def sentence(reasons: Sequence[Reason], language: Literal["zh", "en"]) -> str:
    """Why it stands out, in one sentence."""
    place, between, end = (0, "；", "。") if language == "zh" else (1, "; ", ".")
    said = [_WORDS[one.code][place].format(value=one.value, threshold=one.threshold) for one in reasons]
    return between.join(said) + end


def roll_up(traces: Sequence[Trace], scans: int) -> Figures:
    """One day of a code; the traces are in the order of time."""
    first, last = _busiest(traces)
    return Figures(len(traces), sum(trace.used for trace in traces), last - first, scans)


def peers_of(same_day: Sequence[Figures], fortnight: Sequence[Figures]) -> Peers:
    """`same_day`: figures of each code's day; `fortnight`: of each hospital's days before, and this one."""
    busy = [day for day in same_day if day.issued >= PEERS_CARDS]
    told = [days for days in fortnight if days.issued >= UNUSED_COUNT]
    return Peers(
        scans_per_card=_median([day.scans / day.issued for day in busy]),
        busiest=_median([float(day.busiest) for day in busy]),
        used_share=_median([days.used / days.issued for days in told]),
    )


def _median(values: Sequence[float]) -> float | None:
    return median(values) if len(values) >= PEERS_ENOUGH else None


def judge(view: View) -> list[Finding]:
    """Everything that stands out; the traces are in the order of time."""
    found = (signal(view) for signal in SIGNALS)
    return [finding for finding in found if finding is not None]


def _score(value: float, threshold: float, certain: float) -> int:
    """Also where less is worse (`certain` below `threshold`)."""
    part = (value - threshold) / (certain - threshold)
    return SCORE_AT_THRESHOLD + round((SCORE_MAX - SCORE_AT_THRESHOLD) * max(0.0, min(1.0, part)))


def _busiest(traces: Sequence[Trace]) -> tuple[int, int]:
    """The places from and before which the most cards of ten minutes stand."""
    best = 0, 0
    start = 0
    for place, trace in enumerate(traces):
        while trace.at - traces[start].at > BURST_WINDOW:
            start += 1
        if place + 1 - start > best[1] - best[0]:
            best = start, place + 1
    return best


def _clocked(traces: Sequence[Trace]) -> bool:
    """Whether times tell the second: not the day on which a file was written, or the minute."""
    if not traces:
        return False
    same = Counter(trace.at for trace in traces).most_common(1)[0][1]
    whole = sum(trace.at.second == 0 for trace in traces)
    return same <= SAME_MOMENT_SHARE * len(traces) and whole <= WHOLE_MINUTES_SHARE * len(traces)


def _usual_busiest(view: View) -> float:
    past = [day.busiest for day in view.past if day.issued]
    own = median(past) if len(past) >= PAST_ENOUGH else 0.0
    return max(own, view.peers.busiest or 0.0)


def _burst(view: View) -> Finding | None:
    first, last = _busiest(view.traces)
    window = view.traces[first:last]
    threshold = max(float(BURST_COUNT), BURST_TIMES * _usual_busiest(view))
    if len(window) < threshold or not _clocked(view.traces):
        return None
    reasons = [Reason("cards_in_ten_minutes", len(window), threshold)]
    expected = view.peers.scans_per_card
    scanned = view.figures.scans / view.figures.issued
    if expected is not None and expected >= SCANS_SHARE and scanned < SCANS_SHARE:
        reasons.append(Reason("scans_per_card", scanned, SCANS_SHARE))
    told = [trace.device for trace in window if trace.device is not None]
    if len(told) >= BURST_COUNT and len(set(told)) < TELEPHONES_SHARE * len(told):
        reasons.append(Reason("devices_per_card", len(set(told)) / len(told), TELEPHONES_SHARE))
    if len(reasons) == 1:
        return None
    score = _score(len(window) / threshold, 1.0, BURST_CERTAIN / BURST_TIMES)
    return Finding("burst", score, tuple(reasons), tuple(trace.card for trace in window))


def _regular(view: View) -> Finding | None:
    """The longest chain of cards that each follow another at one interval, whoever comes between."""
    if len(view.traces) < CHAIN or not _clocked(view.traces):
        return None
    start = view.traces[0].at
    times = [(trace.at - start).total_seconds() for trace in view.traces]
    best: list[int] = []
    best_period = 0.0
    for period in _periods(times):
        chain = _chain(times, period)
        if len(chain) > len(best):
            best, best_period = chain, period
    if len(best) < CHAIN:
        return None
    return Finding(
        "regular",
        _score(len(best), CHAIN, CHAIN_CERTAIN),
        (Reason("cards_at_one_interval", len(best), CHAIN), Reason("interval_seconds", best_period, 0)),
        tuple(view.traces[place].card for place in best),
    )


def _periods(times: Sequence[float]) -> list[float]:
    """Intervals that occur often enough among near neighbours to make a chain, on a geometric grid."""
    ratio = math.log1p(CHAIN_TOLERANCE)
    seen: Counter[int] = Counter()
    for place, time in enumerate(times):
        for other in times[place + 1 : place + 6]:
            if PERIOD_MIN_SECONDS <= other - time <= PERIOD_MAX_SECONDS:
                seen[round(math.log(other - time) / ratio)] += 1
    return [math.exp(step * ratio) for step, count in seen.items() if count >= CHAIN // 2]


def _chain(times: Sequence[float], period: float) -> list[int]:
    """The longest run in which each is `period` after the one before, within the tolerance."""
    low, high = period * (1 - CHAIN_TOLERANCE), period * (1 + CHAIN_TOLERANCE)
    length = [1] * len(times)
    before = [-1] * len(times)
    for place, time in enumerate(times):
        first, last = bisect_left(times, time - high), bisect_right(times, time - low)
        # Of those within two periods either way so many would stand where the one before does by chance.
        around = bisect_left(times, time + 2 * high) - bisect_left(times, time - 2 * high)
        if last <= first or around * CHAIN_TOLERANCE / 2 > CHAIN_CHANCE:
            continue
        longest = max(range(first, last), key=lambda one: length[one])
        length[place], before[place] = length[longest] + 1, longest
    at = max(range(len(times)), key=lambda one: length[one])
    chain = []
    while at >= 0:
        chain.append(at)
        at = before[at]
    return chain[::-1]


def _unused(view: View) -> Finding | None:
    peers = view.peers.used_share
    issued, used = view.figures.issued, view.figures.used
    if not view.mature or issued < UNUSED_COUNT or peers is None or peers < PEERS_USED_SHARE:
        return None
    share, threshold = used / issued, UNUSED_SHARE * peers
    chance = two_sided_p(used, {round(SELDOM_SHARE * peers * PPM): issued})
    if share >= threshold or chance >= UNUSED_CHANCE:
        return None
    score = _score(share, threshold, UNUSED_CERTAIN * peers)
    cards = tuple(trace.card for trace in view.traces if not trace.used)
    return Finding("unused", score, (Reason("used_share", share, threshold),), cards)


def _devices(view: View) -> Finding | None:
    cards: dict[int, list[Trace]] = defaultdict(list)
    for trace in view.traces:
        if trace.device is not None:
            cards[trace.device].append(trace)
    farms = [theirs for theirs in cards.values() if len(theirs) >= DEVICE_COUNT and _is_too_fast(theirs)]
    if not farms or not _clocked(view.traces):
        return None
    largest = max(farms, key=len)
    return Finding(
        "devices",
        _score(len(largest), DEVICE_COUNT, DEVICE_CERTAIN),
        (
            Reason("cards_of_one_device", len(largest), DEVICE_COUNT),
            Reason("seconds_between_cards", _pace(largest), DEVICE_PACE_SECONDS),
        ),
        tuple(trace.card for theirs in farms for trace in theirs),
    )


def _is_too_fast(theirs: Sequence[Trace]) -> bool:
    return _pace(theirs) < DEVICE_PACE_SECONDS


def _pace(theirs: Sequence[Trace]) -> float:
    gaps = [(after.at - at.at).total_seconds() for at, after in pairwise(theirs)]
    return median(gaps)


SIGNALS = (_burst, _regular, _unused, _devices)
