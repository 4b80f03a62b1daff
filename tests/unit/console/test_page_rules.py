"""The overview's figures: money in four accounts, vouchers in four states, hospitals in their order."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from services.console.overviewpages.rules import (
    CHART_DAYS,
    NAMED,
    CampaignBoard,
    PayerLine,
    ProgrammeBoard,
    TypeLine,
    fill_campaign,
    fill_programme,
    last_days,
    ranked,
)
from services.console.publicpages.rules import parse_errors
from shared.ids import new_id
from shared.metrics.store import Figure

SCOPE = new_id()
DAY = date(2020, 11, 1)


def figure(measure: str, n: int, dim: str = "", amounts: list[int] | None = None, day: date = DAY) -> Figure:
    return Figure(SCOPE, day, measure, dim, "", n, amounts)


def board() -> CampaignBoard:
    payers = [PayerLine("州本级财政", Decimal("0.6")), PayerLine("州级医保资金", Decimal("0.4"))]
    return CampaignBoard("c", "活动", "published", [TypeLine("checkup", "健康体检券")], payers)


def test_every_transfer_moves_money_and_vouchers() -> None:
    filled = fill_campaign(
        board(),
        [
            figure("fund", 1, amounts=[600, 400]),
            figure("issue", 5, "checkup", [300, 200]),
            figure("redeem", 3, "checkup", [150, 90]),
            figure("release", 1, "checkup", [30, 20]),
            figure("reverse", 1, "checkup", [50, 30]),
            figure("recommit", 1, "checkup", [10, 10]),
            figure("expire", 1, "checkup", [60, 40]),
            figure("pay", 1, "", [40, 20]),
            figure("recover", 1, "", [10, 5]),
        ],
    )
    (line,) = filled.types
    assert (line.issued, line.redeemed, line.ended, line.outstanding) == (5, 2, 1, 2)
    treasury, insurance = filled.payers
    assert (treasury.available, treasury.committed, treasury.payable, treasury.paid) == (390, 120, 60, 30)
    assert (treasury.budget, insurance.budget) == (600, 400)
    assert filled.redeem_rate == Decimal("0.4")


def test_participation_is_counted_by_its_outcome() -> None:
    filled = fill_campaign(
        board(),
        [
            figure("attempt", 90, "failed"),
            figure("attempt", 10, "passed", day=DAY + timedelta(days=1)),
            figure("participant", 80),
            figure("chance", 12, "quiz"),
            figure("draw", 8, "lost"),
            figure("draw", 2, "won"),
        ],
    )
    assert (filled.attempts, filled.passed, filled.participants) == (100, 10, 80)
    assert (filled.chances, filled.draws, filled.wins) == (12, 10, 2)
    assert (filled.pass_rate, filled.win_rate) == (Decimal("0.1"), Decimal("0.2"))
    assert filled.daily == [(DAY, 90), (DAY + timedelta(days=1), 10)]
    assert [count for _, _, count in filled.steps] == [100, 10, 12, 10, 2, 0, 0]


def test_nothing_yet_is_no_rate() -> None:
    filled = fill_campaign(board(), [])
    assert (filled.pass_rate, filled.win_rate, filled.redeem_rate, filled.daily) == (None, None, None, [])


def test_a_type_that_the_catalogue_does_not_know_is_shown_all_the_same() -> None:
    filled = fill_campaign(board(), [figure("issue", 1, "mystery")])
    assert [(line.name, line.issued) for line in filled.types] == [("健康体检券", 0), ("mystery", 1)]


def test_programme_counts_unattributed_cards_in_the_total() -> None:
    filled = fill_programme(
        ProgrammeBoard("p", "发卡", target=1000, issued_before=200, allocated=800),
        [
            figure("card", 40, "h1"),
            figure("card", 30, "h2"),
            figure("card", 10, ""),
            figure("card_used", 25, "h1"),
            figure("scan", 99, "h1"),
        ],
        [("h1", "一院", "甲", 100), ("h2", "二院", "乙", 50), ("h3", "三院", "乙", 0)],
    )
    assert (filled.issued, filled.unattributed, filled.used, filled.scans) == (80, 10, 25, 99)
    assert (filled.rate, filled.target_rate) == (Decimal("0.1"), Decimal("0.28"))
    assert [(line.rank, line.name, line.issued) for line in filled.hospitals] == [
        (1, "二院", 30),
        (2, "一院", 40),
        (3, "三院", 0),
    ]


@given(
    st.lists(st.tuples(st.text(max_size=4), st.just(""), st.integers(0, 50), st.integers(0, 50)), max_size=30)
)
def test_equal_rates_share_a_rank_and_the_next_rank_skips(rows: list[tuple[str, str, int, int]]) -> None:
    lines = ranked(rows)
    assert len(lines) == len(rows)
    for place, (above, below) in enumerate(pairwise(lines), start=2):
        assert (above.rate or 0) >= (below.rate or 0)
        assert below.rank == (above.rank if above.rate == below.rate else place)


@given(st.integers(0, 20))
def test_first_and_last_never_name_a_hospital_twice(count: int) -> None:
    shown = ProgrammeBoard("p", "发卡", target=1, issued_before=0, allocated=None)
    shown.hospitals = ranked([(f"h{number}", "", 10, number) for number in range(count)])
    named = [line.name for line in (*shown.first, *shown.last)]
    assert len(named) == len(set(named)) == min(count, 2 * NAMED)


@given(st.dictionaries(st.dates(date(2020, 1, 1), date(2021, 1, 1)), st.integers(0, 9), max_size=20))
def test_chart_has_every_day_up_to_the_last(by_day: dict[date, int]) -> None:
    days = last_days(by_day)
    assert len(days) <= CHART_DAYS
    assert all(after - before == timedelta(days=1) for (before, _), (after, _) in pairwise(days))
    if by_day:
        assert days[-1] == (max(by_day), by_day[max(by_day)])


def test_errors_page_has_a_row_for_each_row_of_the_table() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "errors.md").read_text(encoding="utf-8")
    rows = parse_errors(text)
    assert len(rows) == sum(line.startswith("| ") and "`" in line for line in text.splitlines()[1:]) - 1
    assert {row.code for row in rows if row.anchor} == {row.code for row in rows}
    assert all(row.zh and row.en for row in rows)
