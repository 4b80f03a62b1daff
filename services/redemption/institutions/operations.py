"""The directory: entered by staff, imported from lists, seen by everybody, paused at once."""

import asyncio
import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from services.redemption.institutions import store
from services.redemption.institutions.rules import (
    DirectoryEntry,
    ImportPlan,
    InstitutionStatus,
    ReadDirectory,
    RowFault,
    accepts_faults,
    credit_code_warnings,
    plan_import,
    read_entry,
)
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.documents.reports import ERRORS_MAX, ImportFault, ImportReport
from shared.documents.sheets import Table, column, find_table, normalise, read_rows
from shared.documents.templates import workbook_template
from shared.errors import InvalidRequest, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import short_id
from shared.kit import Kit
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef, VoucherType

COLUMNS = (
    column("name", "名称", "name", "名称", "机构名称", "服务机构", "服务机构名称"),
    column("category", "类别", "category", "类别", "机构类别", "类型"),
    column("county", "县市", "county", "县市", "县", "所属县市", "区县", required=False),
    column("public", "是否公立", "public", "公立", "是否公立", required=False),
    column("address", "地址", "address", "地址", "机构地址", required=False),
    column(
        "credit_code",
        "统一社会信用代码",
        "credit_code",
        "统一社会信用代码",
        "社会信用代码",
        "信用代码",
        required=False,
    ),
    column("accepts", "受理券种", "accepts", "受理券种", "可核销券种", "券种"),
)
_TITLES = {wanted.key: wanted.title for wanted in COLUMNS}


@dataclass(frozen=True, slots=True)
class Directory:
    kit: Kit

    async def create(
        self, staff: Staff, entry: DirectoryEntry, campaign_slug: str, key: RequestKey | None
    ) -> Answer:
        """Enters an institution into a campaign's directory; a wrong credit code is a warning.

        Raises:
            NotFound: no such campaign.
            InvalidRequest: it accepts a type that the campaign does not have.
            RequestNoReused.
        """
        now = self.kit.clock.now()
        warnings = credit_code_warnings(entry.credit_code)

        async def act() -> dict[str, Any]:
            campaign = await catalogue.campaign_by_slug(tx, campaign_slug)
            types = await catalogue.voucher_types(tx, campaign.id)
            faults = accepts_faults(entry.accepts, frozenset(one.key for one in types))
            if faults:
                raise InvalidRequest(faults=faults)
            institution_id = await self._insert(tx, staff, entry, campaign, now)
            after = {"campaign": campaign.slug, **asdict(entry), "accepts": list(entry.accepts)}
            made = AuditEntry(staff.actor, "institution.create", f"institution:{institution_id}", after=after)
            await record(tx, made, at=now)
            return {"id": institution_id, "warnings": [asdict(warning) for warning in warnings]}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _insert(
        self, tx: Tx, staff: Staff, entry: DirectoryEntry, campaign: CampaignRef, now: datetime
    ) -> str:
        institution_id = short_id("ins_")
        await store.insert_institution(tx, institution_id, entry, created_by=staff.id, now=now)
        await store.set_membership(tx, institution_id, campaign.id, entry.accepts, now)
        return institution_id

    async def page(
        self, filters: store.Filters, *, limit: int, after: tuple[str, str] | None
    ) -> list[store.Listed]:
        """`limit` + 1 institutions at the most, so that the caller knows whether more follow."""
        async with self.kit.database.snapshot() as tx:
            return await store.page(tx, filters, limit=limit + 1, after=after)

    async def set_status(
        self,
        staff: Staff,
        institution_id: str,
        status: InstitutionStatus,
        reason: str,
        key: RequestKey | None,
    ) -> Answer:
        """Pauses or resumes at once: the write-off reads the institution's row.

        Raises:
            NotFound, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            before = await store.change_status(tx, institution_id, status=status)
            if before is None:
                raise NotFound
            entry = AuditEntry(
                staff.actor,
                "institution.pause" if status == "paused" else "institution.resume",
                f"institution:{institution_id}",
                before={"status": before},
                after={"status": status, "reason": reason},
            )
            await record(tx, entry, at=now)
            return {"id": institution_id, "status": status}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def import_file(
        self, staff: Staff, campaign_slug: str, content: bytes, *, dry_run: bool
    ) -> ImportReport:
        """Adds and updates institutions from a list; a dry run only says what would happen.

        Raises:
            InvalidRequest: the file is no table, or a column is missing.
            NotFound: no such campaign.
        """
        now = self.kit.clock.now()
        table = await asyncio.to_thread(_read_table, content)
        digest = hashlib.sha256(content).digest()
        async with self.kit.database.transaction(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, campaign_slug)
            types = await catalogue.voucher_types(tx, campaign.id)
            await store.lock_campaign(tx, campaign.id)
            already_imported = await store.was_imported(tx, campaign.id, digest)
            read = _read_entries(table, types)
            plan = await self._plan(tx, campaign, read)
            if not dry_run:
                await self._carry_out(tx, staff, campaign, plan, now)
                await store.remember_import(
                    tx,
                    campaign.id,
                    digest,
                    rows=len(table.rows),
                    accepted=len(plan.added) + len(plan.changed),
                    imported_by=staff.id,
                    now=now,
                )
                await record(tx, _imported(staff, campaign, digest, plan), at=now)
        faults = sorted([*read.faults, *plan.faults], key=lambda fault: fault.row)
        return ImportReport(
            rows=len(table.rows),
            accepted=len(plan.added) + len(plan.changed),
            rejected=len({fault.row for fault in faults}),
            duplicates=plan.duplicates,
            updated=len(plan.changed),
            errors=[_shown(fault) for fault in faults[:ERRORS_MAX]],
            already_imported=already_imported,
            dry_run=dry_run,
        )

    async def _plan(self, tx: Tx, campaign: CampaignRef, read: ReadDirectory) -> ImportPlan:
        known = await store.known_institutions(tx, campaign.id)
        names = {one.entry.name for one in known} | {entry.name for entry in read.entries.values()}
        return plan_import(read.entries, known, {name: normalise(name) for name in names})

    async def _carry_out(
        self, tx: Tx, staff: Staff, campaign: CampaignRef, plan: ImportPlan, now: datetime
    ) -> None:
        for entry in plan.added:
            await self._insert(tx, staff, entry, campaign, now)
        for institution_id, entry in plan.changed:
            await store.update_institution(tx, institution_id, entry)
            await store.set_membership(tx, institution_id, campaign.id, entry.accepts, now)


def template() -> bytes:
    """The sheet that the import understands, with one example and how to fill it."""
    example = {
        "name": "示例·蒙自市第一体检医院",
        "category": "checkup_hospital",
        "county": "蒙自市",
        "public": "是",
        "address": "示例地址：蒙自市示例路1号",
        "credit_code": "Y1532599DEM000014U",
        "accepts": "checkup",
    }
    notes = (
        "带 * 的列必填；列的顺序不限，请勿改动表头文字。",
        "受理券种：填活动中的券种名称或编号，多个用逗号分隔。",
        "是否公立：填“是”或“否”，可留空。",
        "已有机构按统一社会信用代码（没有时按名称和县市）识别，内容有变化的更新，留空的列保持不变。",
        "请先删除示例行。",
    )
    return workbook_template(COLUMNS, [example], notes)


def _read_table(content: bytes) -> Table:
    return find_table(read_rows(content), COLUMNS)


def _read_entries(table: Table, types: list[VoucherType]) -> ReadDirectory:
    spoken = {one.name: one.key for one in types} | {one.key: one.key for one in types}
    read = ReadDirectory()
    for row in table.rows:
        entry = read_entry({key: row.at(place) for key, place in table.columns.items()}, spoken)
        if isinstance(entry, DirectoryEntry):
            read.entries[row.number] = entry
        else:
            read.faults += [RowFault(row.number, key, message) for key, message in entry]
    return read


def _shown(fault: RowFault) -> ImportFault:
    return ImportFault(row=fault.row, column=_TITLES[fault.column], message=fault.message)


def _imported(staff: Staff, campaign: CampaignRef, digest: bytes, plan: ImportPlan) -> AuditEntry:
    return AuditEntry(
        staff.actor,
        "institution.import",
        f"campaign:{campaign.slug}",
        after={"file_sha256": digest.hex(), "added": len(plan.added), "updated": len(plan.changed)},
    )
