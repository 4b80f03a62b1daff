"""Before and after of a change, as people read them."""

from services.console.changepages.rules import Line, percent_text, side_by_side


def lines(before: dict[str, object], after: dict[str, object]) -> dict[str, tuple[str, str]]:
    return {line.label[0]: (line.before[0], line.after[0]) for line in side_by_side(before, after)}


def test_money_rates_and_counts_are_said_as_people_say_them() -> None:
    shown = lines(
        {"odds": "0.2", "budget_fen": 100_000_00, "remaining": 1234},
        {"odds": "0.125", "budget_fen": 2_000_000_00, "delta": 500, "reason": "节前放量", "phase": 2},
    )
    assert shown == {
        "中奖率": ("20%", "12.5%"),
        "预算": ("100,000.00 元", "2,000,000.00 元"),
        "增减": ("", "+500"),
        "期次": ("", "2"),
        "剩余": ("1,234", ""),
    }


def test_what_differs_stands_first_and_is_marked() -> None:
    found = side_by_side({"pass_score": 60, "questions": 5}, {"questions": 5, "pass_score": 80})
    assert [(line.label[1], line.differs) for line in found] == [("pass score", True), ("questions", False)]


def test_entries_of_lists_are_called_by_their_keys_and_nothing_is_left_out() -> None:
    shown = lines(
        {},
        {
            "phases": [{"seq": 1, "odds": "0.3", "opens_at": "2020-11-01T11:00:00+08:00"}],
            "shares": {"treasury": "0.4"},
            "voucher_types": ["checkup", "fitness"],
            "by_funding_source": {"amount_fen": {"treasury": 5}},
            "review": True,
            "slogan": None,
            "unheard_of": "x",
        },
    )
    assert shown["期次 · 1 · 中奖率"] == ("", "30%")
    assert shown["期次 · 1 · 开始时间"] == ("", "2020-11-01 11:00")
    assert shown["出资比例 · treasury"] == ("", "40%")
    assert shown["券种"] == ("", "checkup、fitness")
    assert shown["出资方 · 金额 · treasury"] == ("", "0.05 元")
    assert (shown["人工审核"], shown["口号"], shown["unheard_of"]) == (("", "是"), ("", "–"), ("", "x"))


def test_what_is_no_rate_stays_as_it_is() -> None:
    assert [percent_text(text) for text in ("0.000001", "1", "0", "一半")] == [
        "0.0001%",
        "100%",
        "0%",
        "一半",
    ]


def test_a_line_without_a_value_before_differs() -> None:
    assert Line(("增减", "change"), ("", ""), ("+5", "+5")).differs
