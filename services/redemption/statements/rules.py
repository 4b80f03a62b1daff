"""What stands on statements, summaries and payment files. Pure.

Totals are the sums of the lines that are printed, never figures of their own.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.redemption.operators.rules import operator_totals
from services.redemption.payees.rules import Details
from services.redemption.settlement.rules import HeldBack, Item, Line, Settlement, moves_of
from shared.documents.csvfiles import csv_file
from shared.documents.papers import DEMO_MARK, Cell, Facts, Fen, Grid, Lines, Paper, Signatures
from shared.money import FEN_PER_YUAN, capital_yuan, yuan

_KINDS = {"redemption": "核销", "correction": "更正"}
_STATUS = {"draft": "待确认", "confirmed": "已确认", "paid": "已支付"}
_PAYMENT_HEADER = (
    "序号",
    "收付",
    "付款方编号",
    "付款方",
    "收款机构编号",
    "收款机构",
    "统一社会信用代码",
    "结算单号",
    "期间起",
    "期间止",
    "金额（元）",
    "用途",
    "收款户名",
    "开户银行",
    "收款账号",
)
_AMOUNT_PLACE = _PAYMENT_HEADER.index("金额（元）")
_PAY, _REFUND, _NOT_PAID = "付款", "退款", "未列入"
_NO_ACCOUNT = "收款账户未登记，未列入付款"
_UNFIT_ACCOUNT = "户名或开户行以公式符号开头，请更正收款账户后重新生成，未列入付款"
_HELD = {
    "hold_period": "未满留存期",
    "write_off_hold": "单笔暂缓结算",
    "institution_hold": "机构暂缓结算",
}


@dataclass(frozen=True, slots=True)
class Payer:
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Account:
    """A settlement with everything that its documents say; `names` are those of the voucher types."""

    settlement: Settlement
    campaign: str
    payers: Sequence[Payer]
    names: Mapping[str, str]
    lines: Sequence[Line]
    held_back: Sequence[HeldBack] = ()
    payee: Details | None = None


@dataclass(frozen=True, slots=True)
class PaymentFile:
    """The file, its digest as it says it, and how many lines it has of which kind."""

    content: bytes
    sha256: str
    payments: int
    exceptions: int


def statement(account: Account, *, made_at: str, demo: bool) -> Paper:
    """The statement of one settlement: lines by type, payers, amount in capitals, places to sign."""
    one = account.settlement
    rows = [
        (
            account.names.get(line.voucher_type, line.voucher_type),
            _KINDS[line.kind],
            line.count,
            Fen(line.amount_fen),
        )
        for line in account.lines
    ]
    amount = sum(fen.fen for *_, fen in rows)
    return Paper(
        name="结算单",
        title=f"{account.campaign}核销结算单",
        mark=DEMO_MARK if demo else None,
        blocks=(
            Facts(
                (
                    ("结算单号", str(one.id)),
                    ("服务机构", one.institution),
                    ("统一社会信用代码", one.credit_code or "（未登记）"),
                    ("结算期间", f"{one.first.isoformat()} 至 {one.last.isoformat()}"),
                    ("状态", _STATUS[one.status]),
                    *((("版次", f"第 {one.revision} 版（异议处理后重新计算）"),) if one.revision > 1 else ()),
                    ("制表时间", made_at),
                )
            ),
            Grid(
                caption="一、结算明细",
                header=("券种", "类别", "笔数", "金额（元）"),
                rows=rows,
                widths=(36, 14, 14, 22),
                total=("合计", "", sum(count for _, _, count, _ in rows), Fen(amount)),
            ),
            _payers(account),
            Lines(
                (
                    f"应付金额（大写）：人民币{capital_yuan(amount)}",
                    *(("金额为负，由服务机构退回。",) if amount < 0 else ()),
                    *(
                        f"另有 {held.count} 笔、{yuan(held.amount_fen)} 元{_HELD[held.cause]}，"
                        "不在本单金额之内，转入以后期间结算。"
                        for held in account.held_back
                    ),
                )
            ),
            Signatures(("制表人", "复核人", "服务机构（盖章）", "卫生健康主管部门（盖章）", "日期", "日期")),
        ),
    )


def _payers(account: Account) -> Grid:
    moves = moves_of(account.lines, len(account.payers))
    rows = [
        (payer.name, Fen(owed), Fen(-back), Fen(owed - back))
        for payer, owed, back in zip(account.payers, moves.owed_fen, moves.taken_back_fen, strict=True)
    ]
    return Grid(
        caption="二、资金来源分担",
        header=("资金来源", "核销（元）", "更正（元）", "应付（元）"),
        rows=rows,
        widths=(36, 16, 16, 18),
        total=("合计", *_sums([row[1:] for row in rows], 3)),
    )


def details(account: Account, items: Sequence[Item], times: Sequence[str], *, demo: bool) -> Paper:
    """Every write-off of the settlement, and every correction in it; `times` are theirs, as shown.

    Where any operator was named, a last column tells who it was.
    """
    named = any(item.operator for item in items)
    rows: list[Sequence[Cell]] = [
        (
            number,
            item.request_no,
            account.names.get(item.voucher_type, item.voucher_type),
            _KINDS[item.kind],
            used_at,
            "" if item.bill_fen is None else Fen(item.bill_fen),
            Fen(item.amount_fen),
            item.reason or "",
            *((item.operator or "",) if named else ()),
        )
        for number, (item, used_at) in enumerate(zip(items, times, strict=True), start=1)
    ]
    total = ("合计", "", "", "", "", "", Fen(sum(item.amount_fen for item in items)), "")
    header = ("序号", "请求号", "券种", "类别", "核销时间", "账单（元）", "结算（元）", "更正原因")
    grid = Grid(
        header=(*header, "操作员") if named else header,
        rows=rows,
        widths=(8, 34, 20, 8, 28, 14, 14, 30, *((12,) if named else ())),
        total=(*total, "") if named else total,
    )
    return Paper(
        name="核销明细",
        title=f"{account.campaign}核销明细",
        mark=DEMO_MARK if demo else None,
        blocks=(Facts((("服务机构", account.settlement.institution),)), grid),
    )


def by_operator(account: Account, items: Sequence[Item], *, demo: bool) -> Paper | None:
    """What each operator wrote off, corrections taken off; None when nobody was named."""
    totals = operator_totals((item.operator, item.amount_fen) for item in items)
    if totals is None:
        return None
    rows = [(one.operator or "（未注明）", one.count, Fen(one.fen)) for one in totals]
    grid = Grid(
        header=("操作员", "笔数", "结算（元）"),
        rows=rows,
        widths=(24, 14, 22),
        total=("合计", sum(count for _, count, _ in rows), Fen(sum(fen.fen for *_, fen in rows))),
    )
    return Paper(
        name="操作员",
        title=f"{account.campaign}核销按操作员汇总",
        mark=DEMO_MARK if demo else None,
        blocks=(Facts((("服务机构", account.settlement.institution),)), grid),
    )


def summary(
    accounts: Sequence[Account], payers: Sequence[Payer], *, campaign: str, made_at: str, demo: bool
) -> Paper:
    """All settlements, a line each, with a column for each payer."""
    rows: list[Sequence[Cell]] = [
        (
            number,
            account.settlement.institution,
            f"{account.settlement.first.isoformat()} 至 {account.settlement.last.isoformat()}",
            _STATUS[account.settlement.status],
            account.settlement.count,
            account.settlement.corrections,
            *(Fen(fen) for fen in account.settlement.split_fen),
            Fen(sum(account.settlement.split_fen)),
        )
        for number, account in enumerate(accounts, start=1)
    ]
    counts = [sum(account.settlement.count for account in accounts)]
    counts.append(sum(account.settlement.corrections for account in accounts))
    money = _sums([[cell for cell in row if isinstance(cell, Fen)] for row in rows], len(payers) + 1)
    total = money[-1].fen
    return Paper(
        name="结算汇总",
        title=f"{campaign}核销结算汇总表",
        mark=DEMO_MARK if demo else None,
        blocks=(
            Facts((("制表时间", made_at), ("结算单", f"{len(accounts)} 份"))),
            Grid(
                header=(
                    "序号",
                    "服务机构",
                    "结算期间",
                    "状态",
                    "核销笔数",
                    "更正笔数",
                    *(f"{payer.name}（元）" for payer in payers),
                    "合计（元）",
                ),
                rows=rows,
                widths=(11, 30, 25, 9, 9, 9, *(15 for _ in payers), 16),
                total=("合计", "", "", "", *counts, *money),
            ),
            Lines((f"合计（大写）：人民币{capital_yuan(total)}",)),
            Signatures(("制表人", "复核人", "卫生健康主管部门（盖章）", "日期")),
        ),
    )


def payment_file(accounts: Sequence[Account], *, demo: bool) -> PaymentFile:
    """One line per settlement and payer, totals, and the SHA-256 of everything above the last line.

    What nobody could be paid, for want of an account that the file can say exactly, stands below the totals
    and in none of them.
    """
    rows: list[Sequence[str | int]] = [_PAYMENT_HEADER]
    left_out: list[tuple[Account, Payer, int]] = []
    totals = {_PAY: 0, _REFUND: 0}
    for account in accounts:
        for payer, fen in zip(account.payers, account.settlement.split_fen, strict=True):
            if fen == 0:
                continue
            if fen > 0 and (account.payee is None or not account.payee.payable):
                left_out.append((account, payer, fen))
                continue
            way = _PAY if fen > 0 else _REFUND
            totals[way] += abs(fen)
            purpose = f"{account.campaign}核销结算{'（演示数据）' if demo else ''}"
            rows.append((len(rows), way, *_payment_cells(account, payer, fen, purpose)))
    payments = len(rows) - 1
    rows += [_total_cells(way, fen) for way, fen in totals.items()]
    rows += [
        (
            "例外",
            _NOT_PAID,
            *_payment_cells(account, payer, fen, _UNFIT_ACCOUNT if account.payee else _NO_ACCOUNT),
        )
        for account, payer, fen in left_out
    ]
    if left_out:
        rows.append(_total_cells(_NOT_PAID, sum(fen for *_, fen in left_out)))
    content = csv_file(rows)
    digest = hashlib.sha256(content).hexdigest()
    return PaymentFile(content + f"SHA-256,{digest}\r\n".encode(), digest, payments, len(left_out))


def _payment_cells(account: Account, payer: Payer, fen: int, purpose: str) -> tuple[str, ...]:
    one, payee = account.settlement, account.payee
    return (
        payer.key,
        payer.name,
        one.institution_id,
        one.institution,
        one.credit_code or "",
        str(one.id),
        one.first.isoformat(),
        one.last.isoformat(),
        _plain_yuan(abs(fen)),
        purpose,
        *(("", "", "") if payee is None else (payee.account_name, payee.bank_name, payee.account_number)),
    )


def _total_cells(way: str, fen: int) -> tuple[str, ...]:
    blank = len(_PAYMENT_HEADER) - _AMOUNT_PLACE - 1
    return ("合计", way, *[""] * (_AMOUNT_PLACE - 2), _plain_yuan(fen), *[""] * blank)


def _plain_yuan(fen: int) -> str:
    """For machines: two decimals, no separators."""
    return f"{fen // FEN_PER_YUAN}.{fen % FEN_PER_YUAN:02d}"


def _sums(rows: Sequence[Sequence[Fen]], columns: int) -> list[Fen]:
    return [Fen(sum(row[place].fen for row in rows)) for place in range(columns)]
