"""Signals of who comes: closed groups, and holders who share a device or an address. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from services.redemption.findings.rules import (
    SCORE_AT_THRESHOLD,
    SCORE_OF_USUAL,
    WINDOW_DAYS,
    Finding,
    Reason,
    Selects,
    Signal,
    View,
    live,
    score_of,
    share_of,
)
from services.redemption.riskdays.rules import Origin

# Holders who come three times in two weeks are few; where much of it is theirs, or where several of them
# come on the same days again and again, it is a closed group. A family of three is none.
GROUP_VISITS = 3
GROUP_COUNT, GROUP_SHARE, GROUP_CERTAIN = 12, 0.3, 0.7
TOGETHER, TOGETHER_CERTAIN = 4, 8
TOGETHER_DAYS, TOGETHER_OVERLAP = 3, 0.75
# Each is compared with each.
GROUP_REGULARS_MAX = 300
# A daughter claims for her parents and theirs on one phone. Six holders of one device are looked at, from
# nine on they are a broker's – unless its vouchers were used all over the place, as those of a kiosk are.
DEVICE_HOLDERS, DEVICE_CERTAIN = 6, 15
# Offices, waiting rooms and carriers share an address: this says who to ask, never what to hold.
ADDRESS_HOLDERS = 10
ORIGIN_SHARE = 0.5


def shared_device(view: View) -> Finding | None:
    return _shared(
        view,
        "shared_device",
        [one for one in view.origins if one.kind == "device" and one.holders >= DEVICE_HOLDERS],
        DEVICE_HOLDERS,
        lambda numbers: live(lambda trace: trace.device in numbers),
    )


def shared_address(view: View) -> Finding | None:
    return _shared(
        view,
        "shared_address",
        [one for one in view.origins if one.kind == "address" and one.holders >= ADDRESS_HOLDERS],
        ADDRESS_HOLDERS,
        lambda numbers: live(lambda trace: trace.place in numbers),
    )


def _shared(
    view: View,
    kind: Signal,
    crowded: list[Origin],
    few: int,
    selects: Callable[[frozenset[int]], Selects],
) -> Finding | None:
    found = [one for one in crowded if share_of(one.count, one.used) >= ORIGIN_SHARE]
    # Found again only on a day on which one of them came.
    if not any(one.last == view.today.date for one in found):
        return None
    worst = max(found, key=lambda one: (one.holders, one.count, one.number))
    score = SCORE_OF_USUAL
    if kind == "shared_device":
        score += score_of(worst.holders, DEVICE_HOLDERS, DEVICE_CERTAIN) - SCORE_AT_THRESHOLD
    return Finding(
        kind,
        score,
        first_day(view.today.date),
        view.today.date,
        (
            Reason("holders_who_claimed_there", worst.holders, few),
            Reason("share_used_here", share_of(worst.count, worst.used), ORIGIN_SHARE),
        ),
        selects(frozenset(one.number for one in found)),
    )


def first_day(today: date) -> date:
    """Of the window in which holders are looked at."""
    return today - timedelta(days=WINDOW_DAYS - 1)


def closed_group(view: View) -> Finding | None:
    first = first_day(view.today.date)
    days = [*(day for day in view.past if day.date >= first), view.today]
    visits = Counter(holder for day in days for holder in day.figures.holders)
    regulars = {holder for holder, count in visits.items() if count >= GROUP_VISITS}
    came = {
        holder: {day.date for day in days if holder in day.figures.holders}
        for holder, count in visits.most_common(GROUP_REGULARS_MAX)
        if count >= GROUP_VISITS
    }
    together = _together(came)
    share = share_of(sum(visits[holder] for holder in regulars), visits.total())
    if share >= GROUP_SHARE and len(regulars) >= TOGETHER:
        group, score = regulars, score_of(share, GROUP_SHARE, GROUP_CERTAIN)
    else:
        group, score = together, score_of(len(together), TOGETHER, TOGETHER_CERTAIN)
    # Found again only on a day on which one of them came.
    if sum(visits[holder] for holder in group) < GROUP_COUNT or group.isdisjoint(view.today.figures.holders):
        return None
    return Finding(
        "closed_group",
        score,
        first,
        view.today.date,
        (
            Reason("share_of_regulars", share, GROUP_SHARE),
            Reason("holders_who_come_together", len(together), TOGETHER),
        ),
        live(lambda trace: trace.holder in group),
    )


def _together(came: Mapping[int, set[date]]) -> set[int]:
    """Holders who come on the same days as several others do, and hardly on any other."""
    found: set[int] = set()
    for days in came.values():
        company = {
            other
            for other, theirs in came.items()
            if len(days & theirs) >= max(TOGETHER_DAYS, TOGETHER_OVERLAP * len(days | theirs))
        }
        if len(company) >= TOGETHER:
            found |= company
    return found
