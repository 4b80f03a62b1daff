"""Reconciliation: an institution's own list, or a POS vendor's file, compared with ours."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from services.redemption.reconciliation import rules, store
from services.redemption.reconciliation.rules import (
    COLUMNS,
    EXAMPLE,
    NOTES,
    ROWS_MAX,
    TEMPLATE,
    Compared,
    Hint,
    Ours,
    ReadList,
    Theirs,
)
from services.redemption.reconciliation.store import Reconciliation
from services.redemption.settlement.operations import visible_to
from services.redemption.settlement.rules import period_faults
from shared.audit import AuditEntry, record
from shared.clock import CHINA
from shared.db import Tx
from shared.documents.papers import DEMO_MARK, Cell, Facts, Fen, Grid, Paper
from shared.documents.sheets import Table, find_table, normalise, read_rows
from shared.documents.templates import workbook_template
from shared.documents.workbooks import workbook
from shared.errors import Fault, Forbidden, InvalidRequest, NotFound, invariant
from shared.identity.staff import WRITERS, Staff
from shared.ids import new_id
from shared.kit import Kit
from shared.objects import ObjectStore

_SECONDS = "%Y-%m-%d %H:%M:%S"
_FIELDS = {"voucher_type": "券种", "applied_fen": "金额", "redeemed_at": "时间"}
_HINTS: dict[Hint, str] = {
    "reversed": "我方已冲正",
    "other_period": "我方记在其他日期",
    "repeated": "对方重复列示",
    "unknown": "我方无此请求号",
}
_OUR_HEADER = ("请求号", "券种", "金额（元）", "核销时间")
_WIDTHS = (34, 18, 14, 24)


@dataclass(frozen=True, slots=True)
class Result:
    reconciliation: Reconciliation
    compared: Compared
    read: ReadList
    hints: list[Hint]


@dataclass(frozen=True, slots=True)
class Reconciliations:
    kit: Kit
    objects: ObjectStore

    async def reconcile(
        self, staff: Staff, institution_id: str, first: date, last: date, content: bytes
    ) -> Result:
        """Compares a list with the live write-offs of these days; keeps the outcome and its workbook.

        Raises:
            Forbidden: another institution's, or an auditor, who writes nothing.
            NotFound: no such institution.
            InvalidRequest: the period, or a file that is no table or too long.
        """
        _require_own(staff, institution_id)
        faults = period_faults(first, last)
        if faults:
            raise InvalidRequest(faults=faults)
        table = await asyncio.to_thread(_read_table, content)
        async with self.kit.database.snapshot(slow=True) as tx:
            name = await store.institution_name(tx, institution_id)
            if name is None:
                raise NotFound
            spoken = await _spoken(tx, institution_id)
            ours = await store.in_period(tx, institution_id, first, last, limit=ROWS_MAX + 1)
            if len(ours) > ROWS_MAX:
                raise _too_long("body.to", f"期间内核销超过 {ROWS_MAX} 笔，请缩短期间")
            read = await asyncio.to_thread(rules.read_list, table, spoken, CHINA)
            compared = await asyncio.to_thread(rules.compare, ours, read.entries, CHINA)
            hints = await self._hints(tx, institution_id, compared, first, last)
        made = Reconciliation(
            id=new_id(),
            institution_id=institution_id,
            period_from=first,
            period_to=last,
            file_sha256=hashlib.sha256(content).digest(),
            matched=len(compared.matched),
            only_ours=len(compared.only_ours),
            only_theirs=len(compared.only_theirs),
            different=len(compared.different),
            rejected=len({fault.row for fault in read.faults}),
            workbook_address="",
            requested_by=staff.id,
            at=self.kit.clock.now(),
        )
        result = Result(made, compared, read, hints)
        papers = _papers(result, name, demo=self.kit.settings.demo)
        address = await self.objects.put(await asyncio.to_thread(workbook, papers))
        return await self._keep(staff, result, address)

    async def check(self, staff: Staff, institution_id: str, content: bytes) -> ReadList:
        """What of a list can be read, and what is wrong in the other rows; compares and keeps nothing.

        Raises:
            Forbidden: another institution's, or an auditor, who takes no file in.
            NotFound: no such institution.
            InvalidRequest: a file that is no table or too long.
        """
        _require_own(staff, institution_id)
        table = await asyncio.to_thread(_read_table, content)
        async with self.kit.database.snapshot() as tx:
            if await store.institution_name(tx, institution_id) is None:
                raise NotFound
            spoken = await _spoken(tx, institution_id)
        return await asyncio.to_thread(rules.read_list, table, spoken, CHINA)

    async def _hints(
        self, tx: Tx, institution_id: str, compared: Compared, first: date, last: date
    ) -> list[Hint]:
        numbers = sorted({entry.request_no for entry in compared.only_theirs})
        known = await store.by_number(tx, institution_id, numbers) if numbers else {}
        return [
            rules.hint_of(known.get(entry.request_no, []), first, last, CHINA)
            for entry in compared.only_theirs
        ]

    async def _keep(self, staff: Staff, result: Result, address: str) -> Result:
        made = replace(result.reconciliation, workbook_address=address)
        async with self.kit.database.transaction() as tx:
            await store.insert_reconciliation(tx, made)
            after = {
                "institution_id": made.institution_id,
                "file_sha256": made.file_sha256.hex(),
                "matched": made.matched,
                "different": made.different,
            }
            entry = AuditEntry(staff.actor, "reconciliation.make", f"reconciliation:{made.id}", after=after)
            await record(tx, entry, at=made.at)
        return replace(result, reconciliation=made)

    async def page(
        self, staff: Staff, filters: store.Filters, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> tuple[list[tuple[Reconciliation, str]], int]:
        """With the institutions' names; one more than `limit` if there are more, and how many.

        Raises:
            Forbidden.
        """
        own = visible_to(staff)
        if own is not None and filters.institution_id not in (None, own):
            raise Forbidden
        filters = replace(filters, institution_id=own or filters.institution_id)
        async with self.kit.database.snapshot() as tx:
            found = await store.page(tx, filters, limit=limit + 1, after=after)
            return found, await store.count(tx, filters)

    async def workbook(self, staff: Staff, reconciliation_id: UUID) -> bytes:
        """Raises NotFound, Forbidden."""
        own = visible_to(staff)
        async with self.kit.database.snapshot() as tx:
            found = await store.by_id(tx, reconciliation_id)
        if found is None:
            raise NotFound
        if own not in (None, found.institution_id):
            raise Forbidden
        content = await self.objects.get(found.workbook_address)
        invariant(content is not None, "a reconciliation without its workbook")
        return content or b""


def _require_own(staff: Staff, institution_id: str) -> None:
    own = visible_to(staff)
    if own not in (None, institution_id) or (own is None and not staff.has(*WRITERS)):
        raise Forbidden


async def _spoken(tx: Tx, institution_id: str) -> dict[str, str]:
    """Voucher types by what a list may call them."""
    types = await store.type_names(tx, institution_id)
    return {normalise(word): key for key, title in types for word in (key, title)}


def template() -> bytes:
    """The sheet that a reconciliation understands, with one example and how to fill it."""
    return workbook_template(TEMPLATE, [EXAMPLE], NOTES)


def _read_table(content: bytes) -> Table:
    table = find_table(read_rows(content), COLUMNS)
    if len(table.rows) > ROWS_MAX:
        raise _too_long("body.file", f"文件超过 {ROWS_MAX} 行，请按期间拆分")
    return table


def _too_long(loc: str, message: str) -> InvalidRequest:
    return InvalidRequest(faults=(Fault(loc, message, "too_many_rows"),))


def _papers(result: Result, institution: str, *, demo: bool) -> list[Paper]:
    """A summary and a sheet for each of the lists, whole."""
    compared, mark = result.compared, DEMO_MARK if demo else None
    made = result.reconciliation
    counts: list[Sequence[Cell]] = [
        ("一致", made.matched),
        ("仅我方有", made.only_ours),
        ("仅对方有", made.only_theirs),
        ("不一致", made.different),
        ("无法读取", made.rejected),
    ]
    period = f"{made.period_from.isoformat()} 至 {made.period_to.isoformat()}"
    facts = Facts((("服务机构", institution), ("期间", period)))
    only_theirs = [
        (entry.row, *_their_cells(entry), _HINTS[hint])
        for entry, hint in zip(compared.only_theirs, result.hints, strict=True)
    ]
    different = [
        (
            pair.theirs.row,
            *_our_cells(pair.ours),
            *_their_cells(pair.theirs)[1:],
            "、".join(_FIELDS[name] for name in pair.fields),
        )
        for pair in compared.different
    ]
    rejected = [(fault.row, rules.TITLES[fault.column], fault.message) for fault in result.read.faults]
    their_header = ("对方行号", *_OUR_HEADER, "说明")
    both_header = ("对方行号", *_OUR_HEADER, "对方券种", "对方金额（元）", "对方时间", "不一致项")
    grids = {
        "对账结果": Grid(("结果", "笔数"), counts, (20, 12)),
        "一致": Grid(_OUR_HEADER, [_our_cells(pair.ours) for pair in compared.matched], _WIDTHS),
        "仅我方有": Grid(_OUR_HEADER, [_our_cells(one) for one in compared.only_ours], _WIDTHS),
        "仅对方有": Grid(their_header, only_theirs, (12, *_WIDTHS, 24)),
        "不一致": Grid(both_header, different, (12, *_WIDTHS, 18, 14, 24, 24)),
        "无法读取": Grid(("对方行号", "列", "原因"), rejected, (12, 16, 50)),
    }
    return [Paper(name, f"核销对账：{name}", (facts, grid), mark) for name, grid in grids.items()]


def _our_cells(one: Ours) -> tuple[Cell, ...]:
    return one.request_no, one.voucher_type, Fen(one.applied_fen), _shown(one.redeemed_at)


def _their_cells(entry: Theirs) -> tuple[Cell, ...]:
    when = "" if entry.redeemed_at is None else _shown(entry.redeemed_at)
    return entry.request_no, entry.voucher_type or "", Fen(entry.applied_fen), when


def _shown(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime(_SECONDS)
