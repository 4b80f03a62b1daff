"""Lists of institutions: taken in, told about, and undone as far as nobody has used what they brought."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.redemption.admissions.operations import Applicant, propose_admission
from services.redemption.imports import store
from services.redemption.imports.errors import ImportAlreadyUndone
from services.redemption.imports.rules import (
    EXAMPLE,
    NOTES,
    ImportPlan,
    KnownInstitution,
    ReadDirectory,
    RowFault,
    doubtful_codes,
    kept_because,
    plan_import,
    read_entry,
)
from services.redemption.imports.schemas import DirectoryImportReport
from services.redemption.institutions import store as directory
from services.redemption.institutions.rules import Admission, DirectoryEntry, admitted, entry_of
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.documents.reports import ERRORS_MAX, ImportFault
from shared.documents.sheets import Table, column, find_table, normalise, read_rows
from shared.documents.templates import workbook_template
from shared.errors import NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import new_id, short_id
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
    column("hours", "营业时间", "hours", "opening_hours", "营业时间", "服务时间", "开放时间", required=False),
    column("accepts", "受理券种", "accepts", "受理券种", "可核销券种", "券种"),
)
_TITLES = {wanted.key: wanted.title for wanted in COLUMNS}


@dataclass(frozen=True, slots=True)
class _Batch:
    """An import that is under way."""

    id: UUID
    staff: Staff
    campaign: CampaignRef
    now: datetime


@dataclass(frozen=True, slots=True)
class Imports:
    kit: Kit

    async def take_in(
        self, staff: Staff, campaign_slug: str, content: bytes, *, dry_run: bool
    ) -> DirectoryImportReport:
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
            batch, change_id = _Batch(new_id(), staff, campaign, now), None
            if not dry_run:
                change_id = await self._carry_out(tx, batch, plan)
                await self._remember(tx, batch, plan, digest, rows=len(table.rows))
        faults = sorted([*read.faults, *plan.faults], key=lambda fault: fault.row)
        return DirectoryImportReport(
            rows=len(table.rows),
            accepted=len(plan.added) + len(plan.changed),
            rejected=len({fault.row for fault in faults}),
            duplicates=plan.duplicates,
            updated=len(plan.changed),
            errors=[_shown(fault) for fault in faults[:ERRORS_MAX]],
            warnings=[_shown(fault) for fault in doubtful_codes(read.entries)[:ERRORS_MAX]],
            already_imported=already_imported,
            dry_run=dry_run,
            import_id=None if dry_run else str(batch.id),
            change_id=change_id,
        )

    async def page(
        self, campaign_slug: str | None, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> list[store.Import]:
        """Newest first, `limit` + 1 at the most."""
        async with self.kit.database.snapshot() as tx:
            return await store.page(tx, campaign_slug, limit=limit + 1, after=after)

    async def undo(self, staff: Staff, import_id: UUID, reason: str, key: RequestKey | None) -> Answer:
        """Takes back what a list brought, as far as nobody has used it since; says what stays and why.

        Raises:
            NotFound, ImportAlreadyUndone, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            found = await store.find(tx, import_id)
            if found is None:
                raise NotFound
            await store.lock_campaign(tx, found.campaign_id)
            if not await store.mark_undone(tx, import_id, by=staff.id, at=now):
                raise ImportAlreadyUndone
            kept, taken_back = [], []
            for one in await store.brought(tx, found):
                why = kept_because(
                    added=one.before is None,
                    untouched=one.untouched,
                    redeemed=one.redeemed,
                    terminals=one.terminals,
                    priced=one.priced,
                    staffed=one.staffed,
                )
                if why is None:
                    await self._take_back(tx, staff, found, one, reason=reason, now=now)
                    taken_back.append(one)
                else:
                    kept.append({"institution_id": one.institution_id, "name": one.name, "reason": why})
            added = [one.institution_id for one in taken_back if one.before is None]
            await store.remove(tx, added)
            answer = {
                "import_id": str(import_id),
                "removed": len(added),
                "restored": len(taken_back) - len(added),
                "kept": kept,
            }
            audited = AuditEntry(
                staff.actor,
                "institution.import.undo",
                f"campaign:{found.campaign}",
                after={**answer, "kept": len(kept), "reason": reason},
            )
            await record(tx, audited, at=now)
            return answer

        async with self.kit.database.transaction(slow=True) as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _plan(self, tx: Tx, campaign: CampaignRef, read: ReadDirectory) -> ImportPlan:
        known = await store.known_institutions(tx, campaign.id)
        names = {one.entry.name for one in known} | {entry.name for entry in read.entries.values()}
        return plan_import(read.entries, known, {name: normalise(name) for name in names})

    async def _carry_out(self, tx: Tx, batch: _Batch, plan: ImportPlan) -> str | None:
        """Writes it all; returns the change that asks for the approval of what has to wait."""
        applicants = []
        for entry in plan.added:
            institution_id = short_id("ins_")
            await directory.insert_institution(
                tx, institution_id, entry, created_by=batch.staff.id, now=batch.now
            )
            applicants.append(await self._join(tx, batch, institution_id, entry, None))
        for known, entry in sorted(plan.changed, key=lambda pair: pair[0].id):
            await directory.update_institution(tx, known.id, entry)
            applicants.append(await self._join(tx, batch, known.id, entry, known))
        waiting = [one for one in applicants if one.voucher_types]
        if not waiting:
            return None
        proposed = await propose_admission(
            tx, batch.staff, batch.campaign, waiting, reason=None, now=batch.now
        )
        return str(proposed["change_id"])

    async def _join(
        self,
        tx: Tx,
        batch: _Batch,
        institution_id: str,
        entry: DirectoryEntry,
        known: KnownInstitution | None,
    ) -> Applicant:
        campaign = batch.campaign
        standing = None if known is None else known.admission
        admission = admitted(entry.accepts, standing, approval=campaign.institution_approval)
        await directory.set_membership(tx, institution_id, campaign.id, admission, batch.now)
        before = None
        if known is not None:
            before = known.entry.told() | _standing(known.admission)
        version = directory.Version(
            institution_id,
            campaign.id,
            "import",
            before=before,
            entry=entry.told(),
            actor=batch.staff.actor,
            reason=None,
            at=batch.now,
            import_id=batch.id,
        )
        await directory.write_version(tx, version)
        return Applicant(institution_id, admission.awaiting)

    async def _remember(self, tx: Tx, batch: _Batch, plan: ImportPlan, digest: bytes, *, rows: int) -> None:
        values = {
            "id": batch.id,
            "campaign_id": batch.campaign.id,
            "file_sha256": digest,
            "rows": rows,
            "accepted": len(plan.added) + len(plan.changed),
            "updated": len(plan.changed),
            "imported_by": batch.staff.id,
            "imported_at": batch.now,
        }
        await store.remember_import(tx, values)
        told = {"file_sha256": digest.hex(), "added": len(plan.added), "updated": len(plan.changed)}
        audited = AuditEntry(
            batch.staff.actor, "institution.import", f"campaign:{batch.campaign.slug}", after=told
        )
        await record(tx, audited, at=batch.now)

    async def _take_back(
        self, tx: Tx, staff: Staff, found: store.Import, one: store.Brought, *, reason: str, now: datetime
    ) -> None:
        """What it was before is written again; one that was added goes with `remove`."""
        version = directory.Version(
            one.institution_id,
            found.campaign_id,
            "undo",
            before=one.entry,
            entry=one.before,
            actor=staff.actor,
            reason=reason,
            at=now,
            import_id=found.id,
        )
        await directory.write_version(tx, version)
        if one.before is None:
            return
        told = dict(one.before)
        accepts, awaiting = told.pop("accepted"), told.pop("awaiting")
        await directory.update_institution(tx, one.institution_id, entry_of(told))
        if accepts is None:
            await store.leave_campaign(tx, one.institution_id, found.campaign_id)
        else:
            standing = Admission(tuple(accepts), tuple(awaiting))
            await directory.set_membership(tx, one.institution_id, found.campaign_id, standing, now)


def template() -> bytes:
    """The sheet that the import understands, with one example and how to fill it."""
    return workbook_template(COLUMNS, [EXAMPLE], NOTES)


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


def _standing(admission: Admission | None) -> dict[str, Any]:
    """What is needed to put a membership back; None: it was in none."""
    if admission is None:
        return {"accepted": None, "awaiting": None}
    return {"accepted": list(admission.accepts), "awaiting": list(admission.awaiting)}
