"""Before and after of a change, as people read them: in words, names and units, whatever its kind."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from services.console.changenames.rules import about, merged
from services.console.changepages.rules import (
    Line,
    export_rows,
    lines_of,
    percent_text,
    side_by_side,
    target_of,
)
from services.console.changewords.rules import FIELDS, KINDS
from services.issuance.campaigns.schemas import Definition
from tests.support.changed import CHANGES, NAMES

# What a program calls things: `voucher_types`, `price`. Ids of things that have no name hold digits.
RAW = re.compile(r"(?<![\w-])[a-z]+(?:_[a-z0-9]+)*(?![\w-])")


def lines(before: dict[str, object], after: dict[str, object]) -> dict[str, tuple[str, str]]:
    return {line.label[0]: (line.before[0], line.after[0]) for line in side_by_side(before, after, NAMES)}


def shown(kind: str) -> dict[str, tuple[str, str]]:
    return {line.label[0]: (line.before[0], line.after[0]) for line in lines_of(CHANGES[kind], NAMES)}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_kind_of_change_shows_a_raw_key(kind: str) -> None:
    change = CHANGES[kind]
    assert change["kind"] == kind
    for line in lines_of(change, NAMES):
        for text in (line.label[0], line.before[0], line.after[0]):
            assert RAW.findall(text) == [], (kind, line)
        assert line.label[1], (kind, line)
    assert RAW.findall(target_of(change, NAMES).words[0]) == [], kind


def test_every_kind_is_said_in_words() -> None:
    assert set(CHANGES) == set(KINDS)


def _properties(schema: Mapping[str, Any]) -> Iterator[str]:
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", {})


def test_every_field_of_a_definition_has_its_words() -> None:
    unnamed = set(_properties(Definition.model_json_schema())) - set(FIELDS) - {"request_no"}
    assert unnamed == set()


def test_money_rates_and_counts_are_said_as_people_say_them() -> None:
    told = lines(
        {"odds": "0.2", "budget_fen": 100_000_00, "remaining": 1234},
        {"odds": "0.125", "budget_fen": 2_000_000_00, "delta": 500, "reason": "节前放量", "phase": 2},
    )
    assert told == {
        "中奖率": ("20%", "12.5%"),
        "预算": ("100,000.00 元", "2,000,000.00 元"),
        "增减": ("", "+500 张"),
        "期次": ("", "第 2 期"),
        "剩余": ("1,234 张", ""),
    }


def test_what_stock_comes_to_stands_beside_what_it_is() -> None:
    assert shown("stock") == {
        "已投放": ("100 张", "600 张"),
        "剩余": ("7 张", "507 张"),
        "期次": ("", "第 1 期"),
        "券种": ("", "健康体检"),
        "增减": ("", "+500 张"),
    }


def test_payers_types_and_ways_have_their_names() -> None:
    assert shown("funding_shares")["出资比例 · 州财政"] == ("40%", "50%")
    assert shown("settlement.pay")["出资方分担 · 州财政"] == ("", "200.00 元")
    assert shown("channel")["每日上限"] == ("3 次", "不限")
    assert shown("channel")["参与方式"] == ("", "知识问答")
    assert shown("limits")["每种领券"] == ("2 张", "不限")
    assert shown("settlement_hold") == {"结算观察期": ("按平台设置", "7 天")}
    assert shown("carry_over")["转入"] == ("", "第 2 期")
    assert shown("carry_over")["未用库存 · 健康体检"] == ("30 张", "")
    assert shown("institution.admit")["机构 · 红河州第一人民医院 · 券种"] == ("", "健康体检")
    assert shown("allocation")["调整 · 1 · 自"] == ("", "乐清市人民医院")
    assert shown("hospital_change")["类别"] == ("", "转入其他医共体")
    assert shown("card_assignment")["医院"] == ("未归属", "乐清市人民医院")


def test_times_are_said_in_chinas_form() -> None:
    told = lines({}, {"opens_at": "2020-11-01T03:00:00+00:00", "on": "2020-09-01", "month": "2020-08"})
    assert told == {
        "开始时间": ("", "2020年11月1日 11:00"),
        "生效日期": ("", "2020年9月1日"),
        "月份": ("", "2020年8月"),
    }


def test_a_definition_names_its_own_parts() -> None:
    told = shown("campaign")
    assert told["第 1 期 · 中奖率"] == ("", "30%")
    assert told["第 1 期 · 库存 · 心理咨询"] == ("", "5 张")
    assert told["第 1 期 · 放量计划 · 每次放量 · 心理咨询"] == ("", "2 张")
    assert told["第 1 期 · 答题 · 组卷方案 · 中 · 健康素养"] == ("", "2 题")
    assert told["标注假定"] == ("", "第 1 期 · 中奖率、券种 · 心理咨询 · 结算价")
    assert told["时区"] == ("", "北京时间")


def test_what_differs_stands_first_and_is_marked() -> None:
    found = side_by_side({"pass_score": 60, "questions": 5}, {"questions": 5, "pass_score": 80}, {})
    assert [(line.label[1], line.differs) for line in found] == [("pass score", True), ("questions", False)]


def test_only_what_was_and_is_not_there_is_left_out() -> None:
    assert lines({"title": "甲"}, {"unheard_of": "x", "slogan": None, "title": None}) == {
        "名称": ("甲", "–"),
        "unheard_of": ("", "x"),
    }


def test_numbers_for_the_files_stand_last() -> None:
    assert list(shown("settlement.pay"))[-1] == "结算单编号"


def test_what_becomes_of_it_stands_beside_what_it_is() -> None:
    assert shown("settlement.pay")["状态"] == ("已确认", "已支付")
    assert shown("voucher_revoke")["状态"] == ("未使用", "已作废")
    assert shown("hospital_change_withdrawal")["生效中"] == ("是", "否")


def test_what_is_no_rate_stays_as_it_is() -> None:
    assert [percent_text(text) for text in ("0.000001", "1", "0", "一半")] == [
        "0.0001%",
        "100%",
        "0%",
        "一半",
    ]


def test_a_line_without_a_value_before_differs() -> None:
    assert Line(("增减", "change"), ("", ""), ("+5", "+5")).differs


@pytest.mark.parametrize(
    ("kind", "words", "path"),
    [
        ("odds", "红河州全民健康消费券发放活动", "/console/campaigns/honghe-2020"),
        ("campaign", "honghe-2020", ""),
        ("voucher_revoke", "健康体检", "/console/vouchers/v-0001"),
        ("redemption.reverse", "核销记录", "/console/write-offs/r-0001"),
        ("settlement.uphold_dispute", "红河州第一人民医院", "/console/settlements/s-0001"),
        ("institution.payee_account", "红河州第一人民医院", "/console/institutions/i-0001"),
        ("allocation", "乐清市电子健康卡发卡任务", ""),
    ],
)
def test_what_a_change_is_about_has_its_name_and_its_page(kind: str, words: str, path: str) -> None:
    change = CHANGES[kind]
    names = NAMES if kind != "campaign" else {}
    assert (target_of(change, names).words[0], target_of(change, names).path) == (words, path)


def test_names_are_asked_of_whoever_gave_the_keys() -> None:
    wanted = about(CHANGES.values())
    assert wanted.campaigns == {"honghe-2020"}
    assert wanted.programmes == {"yueqing-2020"}
    assert wanted.institutions == {"i-0001"}
    assert merged([{"payer": {"a": "甲"}}, {"payer": {"b": "乙"}}]) == {"payer": {"a": "甲", "b": "乙"}}


def test_a_row_of_the_workbook_is_a_value() -> None:
    rows = export_rows(CHANGES["odds"], NAMES)
    assert rows[0][2:8] == [
        "消费券发放",
        "调整中奖率",
        NAMES["campaign"]["honghe-2020"],
        "中奖率",
        "20%",
        "12.5%",
    ]
