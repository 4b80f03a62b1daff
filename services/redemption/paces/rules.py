"""Signals of when and how fast: crowded hours, right after issue, while shut, against its own past. Pure."""

from datetime import timedelta
from statistics import median

from services.redemption.findings.rules import (
    HOLD_FROM,
    PEERS_TIMES,
    SCORE_AT_THRESHOLD,
    SCORE_OF_USUAL,
    WINDOW_DAYS,
    Finding,
    Reason,
    View,
    active_past,
    live,
    on_day,
    score_of,
    share_of,
)
from services.redemption.riskdays.rules import PAST_ENOUGH, prompt

# More write-offs in an hour than declared; without a declaration three times its usual peak (or that of
# its peers), and never fewer than 15: two tills do that on any good morning. A company goes out once: what
# is only unusual, not over what was declared, is watched the first time, and held when it comes again. How
# large an institution is, its peers do not tell: one without a past of its own is watched.
CAPACITY_TIMES = 3
CAPACITY_FLOOR = 15
BURST_COUNT, BURST_SHARE, BURST_CERTAIN = 8, 0.3, 0.7
HOURS_COUNT, HOURS_SHARE, HOURS_CERTAIN = 6, 0.2, 0.6
# Against its own past: far outside the scatter, and a multiple of the median. It says when, not which.
JUMP_COUNT, JUMP_TIMES, JUMP_SCATTER = 30, 4, 6
JUMP_SCORE = 50


def capacity(view: View) -> Finding | None:
    today = view.today.figures
    if view.hourly is not None:
        limit, code = float(view.hourly), "hourly_over_declared"
    else:
        past = active_past(view)
        own = median(day.peak for day in past) if len(past) >= PAST_ENOUGH else None
        usual = own if own is not None else view.peers.peak
        if usual is None:
            return None
        limit, code = (
            max(CAPACITY_FLOOR, CAPACITY_TIMES * max(usual, view.peers.peak or 0)),
            "hourly_over_usual",
        )
    over = frozenset(hour for hour, count in enumerate(today.hours) if count > limit)
    if not over:
        return None
    score = score_of(today.peak, limit, 2 * limit)
    if view.hourly is None:
        score -= SCORE_AT_THRESHOLD - SCORE_OF_USUAL
        if not _again(view, limit):
            score = min(score, HOLD_FROM - 1)
    return on_day(
        view, "capacity", score, live(lambda trace: trace.hour in over), Reason(code, today.peak, limit)
    )


def _again(view: View, limit: float) -> bool:
    """Whether it was as crowded on another day of the last two weeks, of an institution with a past."""
    since = view.today.date - timedelta(days=WINDOW_DAYS)
    crowded = any(day.figures.peak > limit for day in view.past if day.date >= since)
    return crowded and len(active_past(view)) >= PAST_ENOUGH


def burst(view: View) -> Finding | None:
    today = view.today.figures
    threshold = max(BURST_SHARE, PEERS_TIMES * view.peers.prompt_share)
    share = share_of(today.prompt, today.live)
    if today.prompt < BURST_COUNT or share < threshold:
        return None
    score = score_of(share, BURST_SHARE, BURST_CERTAIN)
    return on_day(
        view, "burst", score, live(prompt), Reason("share_within_minutes_of_issue", share, threshold)
    )


def hours(view: View) -> Finding | None:
    today = view.today.figures
    count = sum(today.hours[hour] for hour in view.closed)
    share = share_of(count, today.live)
    if count < HOURS_COUNT or share < HOURS_SHARE:
        return None
    score = score_of(share, HOURS_SHARE, HOURS_CERTAIN)
    closed = view.closed
    return on_day(
        view,
        "hours",
        score,
        live(lambda trace: trace.hour in closed),
        Reason("share_while_shut", share, HOURS_SHARE),
    )


def jump(view: View) -> Finding | None:
    today = view.today.figures
    past = [day.live for day in active_past(view)]
    if len(past) < PAST_ENOUGH or today.live < JUMP_COUNT:
        return None
    usual = median(past)
    # 1.4826 makes the median of distances comparable to a standard deviation.
    scatter = 1.4826 * median(abs(count - usual) for count in past)
    threshold = max(JUMP_TIMES * usual, usual + JUMP_SCATTER * scatter)
    if today.live < threshold:
        return None
    return on_day(
        view, "jump", JUMP_SCORE, live(lambda _: True), Reason("day_over_its_past", today.live, threshold)
    )
