"""What a settlement is made of, and what its payment moves."""

import csv
import hashlib
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.redemption.payees.rules import Details
from services.redemption.settlement.rules import (
    Line,
    LineKind,
    Settlement,
    counts_by_type,
    moves_of,
    period_faults,
    received_until,
)
from services.redemption.statements.rules import Account, Payer, payment_file, statement, summary
from shared.documents.papers import Fen, Grid
from shared.money import split_fen

PAYERS = (Payer("treasury", "财政"), Payer("=insurance", "医保"), Payer("company", "公司"))
SHARES = (333_334, 333_333, 333_333)
NOW = datetime(2020, 11, 30, tzinfo=UTC)
KINDS: tuple[LineKind, ...] = ("redemption", "correction")


@pytest.mark.parametrize(
    ("first", "last", "codes"),
    [
        (date(2020, 11, 1), date(2020, 11, 1), []),
        (date(2020, 1, 1), date(2020, 12, 31), []),
        (date(2020, 1, 1), date(2021, 1, 1), ["period_length"]),
        (date(2020, 11, 2), date(2020, 11, 1), ["period_order"]),
    ],
)
def test_a_period_has_an_order_and_a_length(first: date, last: date, codes: list[str]) -> None:
    assert [fault.code for fault in period_faults(first, last)] == codes


def test_hold_period_counts_from_now_and_none_is_no_limit() -> None:
    assert received_until(NOW, 3) == NOW - timedelta(days=3)
    assert received_until(NOW, 0) is None


# Amounts of single write-offs by type, each split on its own, as at the till.
parts = st.lists(st.integers(1, 40_000), min_size=1, max_size=8)
accounts = st.lists(st.tuples(parts, parts | st.none()), min_size=1, max_size=4)


def line(kind: LineKind, voucher_type: str, amounts: list[int]) -> Line:
    sign = 1 if kind == "redemption" else -1
    splits = [split_fen(amount, SHARES) for amount in amounts]
    total = [sign * sum(column) for column in zip(*splits, strict=True)]
    return Line(kind, voucher_type, len(amounts), sign * sum(amounts), total)


def account(number: int, written_off: list[int], corrected: list[int] | None) -> Account:
    lines = [line("redemption", "checkup", written_off)]
    if corrected is not None:
        lines.append(line("correction", "checkup", corrected))
    split = [sum(column) for column in zip(*(one.split_fen for one in lines), strict=True)]
    one = Settlement(
        id=UUID(int=number),
        campaign_id=UUID(int=0),
        institution_id=f"ins_{number}",
        institution=f"机构{number}",
        credit_code=None,
        first=date(2020, 11, 1),
        last=date(2020, 11, 30),
        count=len(written_off),
        corrections=len(corrected or ()),
        amount_fen=sum(split),
        split_fen=split,
        status="confirmed",
        created_at=NOW,
        disputed_at=None,
        dispute_note=None,
        confirmed_at=NOW,
        paid_at=None,
        run_id=UUID(int=0),
    )
    # Every other one has told us where it is paid.
    payee = Details("示例机构", "示例银行", "6222000000000000000") if number % 2 == 0 else None
    return Account(one, "消费券", PAYERS, {"checkup": "体检券"}, lines, payee=payee)


@given(parts, parts)
def test_payment_moves_gross_amounts_that_are_never_below_zero(
    written_off: list[int], corrected: list[int]
) -> None:
    one = account(1, written_off, corrected)
    moves = moves_of(one.lines, len(PAYERS))
    assert min(*moves.owed_fen, *moves.taken_back_fen) >= 0
    assert sum(moves.owed_fen) == sum(written_off)
    assert sum(moves.taken_back_fen) == sum(corrected)
    net = [owed - back for owed, back in zip(moves.owed_fen, moves.taken_back_fen, strict=True)]
    assert net == list(one.settlement.split_fen)
    assert counts_by_type(one.lines) == {"checkup": len(written_off)}


@given(accounts)
def test_payment_file_adds_up_and_its_digest_is_that_of_the_lines_above(
    given_accounts: list[tuple[list[int], list[int] | None]],
) -> None:
    made = [account(number, *one) for number, one in enumerate(given_accounts)]
    file = payment_file(made, demo=False)
    content = file.content
    body, _, last = content.rpartition(b"SHA-256,")
    assert last.decode().strip() == hashlib.sha256(body).hexdigest()
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    cents = dict.fromkeys(("付款", "退款", "未列入"), 0)
    for row in rows:
        if row["序号"] != "合计":
            cents[row["收付"]] += round(float(row["金额（元）"]) * 100)
    totals = {row["收付"]: round(float(row["金额（元）"]) * 100) for row in rows if row["序号"] == "合计"}
    assert {"未列入": 0} | totals == cents
    assert cents["付款"] + cents["未列入"] - cents["退款"] == sum(one.settlement.amount_fen for one in made)
    assert all(row["收款账号"] for row in rows if row["收付"] == "付款" and row["序号"] != "合计")
    assert not any(row["收款账号"] for row in rows if row["收付"] == "未列入")
    assert {row["收款户名"] for row in rows} <= {"", "示例机构"}
    assert file.payments == sum(row["序号"].isdigit() for row in rows)
    assert file.exceptions == sum(row["序号"] == "例外" for row in rows)
    assert "=insurance" not in {row["付款方编号"] for row in rows}


def test_a_payee_whose_name_a_spreadsheet_would_run_is_left_out_of_the_payments() -> None:
    payee = Details("=机构", "示例银行", "6222000000000000000")
    file = payment_file([replace(account(0, [100], None), payee=payee)], demo=False)
    assert (file.payments, file.exceptions > 0) == (0, True)
    rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"), newline="")))
    assert [cell for row in rows for cell in row if cell.startswith("=")] == []
    assert any("请更正收款账户" in cell for row in rows for cell in row)


@given(accounts)
def test_totals_of_papers_are_the_sums_of_their_rows(
    given_accounts: list[tuple[list[int], list[int] | None]],
) -> None:
    made = [account(number, *one) for number, one in enumerate(given_accounts)]
    papers = [statement(one, made_at="", demo=True) for one in made]
    papers.append(summary(made, PAYERS, campaign="消费券", made_at="", demo=True))
    for paper in papers:
        assert paper.mark is not None
        for grid in paper.blocks:
            if isinstance(grid, Grid) and grid.total is not None:
                for column, total in enumerate(grid.total):
                    if isinstance(total, Fen):
                        cells = [row[column] for row in grid.rows]
                        assert sum(cell.fen for cell in cells if isinstance(cell, Fen)) == total.fen
