"""Signals of what the till does: amounts that do not scatter, by hand, reversed and done again. Pure."""

from collections import Counter
from collections.abc import Sequence

from services.redemption.findings.rules import (
    PEERS_TIMES,
    Finding,
    Reason,
    View,
    live,
    on_day,
    score_of,
    share_of,
)
from services.redemption.riskdays.rules import Trace, at_face, redone

# Real bills scatter. Bills at the face value take everything out of a voucher and bring nothing.
FACE_COUNT, FACE_SHARE, FACE_CERTAIN = 8, 0.4, 0.8
SAME_COUNT, SAME_SHARE, SAME_CERTAIN = 10, 0.4, 0.8
MANUAL_COUNT, MANUAL_SHARE, MANUAL_CERTAIN = 6, 0.3, 0.7
REVERSED_COUNT, REVERSED_SHARE, REVERSED_CERTAIN = 5, 0.2, 0.5
# In a busy place a handful a day is a slip of the hand.
REDONE_COUNT, REDONE_CERTAIN, REDONE_SHARE = 4, 10, 0.1


def amounts(view: View) -> Finding | None:
    today = view.today.figures
    face, same = share_of(today.face_bills, today.billed), share_of(today.same_bills, today.billed)
    if today.face_bills >= FACE_COUNT and face >= FACE_SHARE:
        reason = Reason("share_of_bills_at_face_value", face, FACE_SHARE)
        return on_day(view, "amounts", score_of(face, FACE_SHARE, FACE_CERTAIN), live(at_face), reason)
    if today.same_bills >= SAME_COUNT and same >= SAME_SHARE:
        reason = Reason("share_of_identical_bills", same, SAME_SHARE)
        return on_day(view, "amounts", score_of(same, SAME_SHARE, SAME_CERTAIN), _identical, reason)
    return None


def _identical(traces: Sequence[Trace]) -> list[Trace]:
    others = [trace for trace in traces if trace.live and trace.bill_fen is not None and not at_face(trace)]
    amounts = Counter(trace.bill_fen for trace in others)
    most = max(amounts.values(), default=0)
    return [trace for trace in others if amounts[trace.bill_fen] == most]


def manual(view: View) -> Finding | None:
    today = view.today.figures
    threshold = max(MANUAL_SHARE, PEERS_TIMES * view.peers.manual_share)
    share = share_of(today.manual, today.live)
    if today.manual < MANUAL_COUNT or share < threshold:
        return None
    score = score_of(share, MANUAL_SHARE, MANUAL_CERTAIN)
    return on_day(
        view, "manual", score, live(lambda trace: trace.manual), Reason("share_manual", share, threshold)
    )


def reversals(view: View) -> Finding | None:
    today = view.today.figures
    share = share_of(today.reversed, today.live + today.reversed)
    many = today.reversed >= REVERSED_COUNT and share >= REVERSED_SHARE
    again = today.redone >= REDONE_COUNT and share_of(today.redone, today.live) >= REDONE_SHARE
    if not many and not again:
        return None
    score = score_of(share, REVERSED_SHARE, REVERSED_CERTAIN)
    if again:
        score = max(score, score_of(today.redone, REDONE_COUNT, REDONE_CERTAIN))
    return on_day(
        view,
        "reversals",
        score,
        lambda traces: [*(trace for trace in traces if not trace.live), *redone(traces)],
        Reason("share_reversed", share, REVERSED_SHARE),
        Reason("reversed_and_redeemed_again", today.redone, REDONE_COUNT),
    )
