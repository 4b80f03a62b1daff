"""The directory: entered and edited by staff, seen by everybody, paused at once, closed for good."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from services.redemption.admissions.operations import Applicant, propose_admission
from services.redemption.institutions import store
from services.redemption.institutions.errors import InstitutionClosed
from services.redemption.institutions.rules import (
    Admission,
    DirectoryEntry,
    InstitutionStatus,
    accepts_faults,
    admitted,
    credit_code_warnings,
)
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.errors import Forbidden, InvalidRequest, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import READERS, Staff
from shared.ids import short_id
from shared.kit import Kit
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be different: columns by name, and what it accepts in a campaign, if that is told."""

    fields: Mapping[str, Any]
    campaign: str | None
    accepts: Sequence[str] | None
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """All that is kept of an institution."""

    kept: store.Kept
    memberships: list[store.Member]


async def sound_types(tx: Tx, campaign_slug: str, accepts: Sequence[str]) -> CampaignRef:
    """The campaign, when it has all of these types.

    Raises:
        NotFound, InvalidRequest.
    """
    campaign = await catalogue.campaign_by_slug(tx, campaign_slug)
    types = await catalogue.voucher_types(tx, campaign.id)
    faults = accepts_faults(accepts, frozenset(one.key for one in types))
    if faults:
        raise InvalidRequest(faults=faults)
    return campaign


def see_own(staff: Staff, institution_id: str) -> None:
    """Raises Forbidden for staff of another institution."""
    if not staff.has(*READERS) and staff.institution_id != institution_id:
        raise Forbidden


@dataclass(frozen=True, slots=True)
class Directory:
    kit: Kit

    async def create(
        self, staff: Staff, entry: DirectoryEntry, campaign_slug: str, key: RequestKey | None
    ) -> Answer:
        """Enters an institution into a campaign's directory; a wrong credit code is a warning.

        Where the campaign asks for approval, its types wait for the change that is proposed at once.

        Raises:
            NotFound: no such campaign.
            InvalidRequest: it accepts a type that the campaign does not have.
            RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            campaign = await sound_types(tx, campaign_slug, entry.accepts)
            institution_id = short_id("ins_")
            await store.insert_institution(tx, institution_id, entry, created_by=staff.id, now=now)
            admission = admitted(entry.accepts, None, approval=campaign.institution_approval)
            await store.set_membership(tx, institution_id, campaign.id, admission, now)
            await store.write_version(
                tx,
                store.Version(
                    institution_id, campaign.id, "create", None, entry.told(), staff.actor, None, now
                ),
            )
            after = {"campaign": campaign.slug, **entry.told()}
            made = AuditEntry(staff.actor, "institution.create", f"institution:{institution_id}", after=after)
            await record(tx, made, at=now)
            answer = {"id": institution_id, "warnings": _warnings(entry)}
            return answer | await self._ask_approval(tx, staff, campaign, institution_id, admission, now=now)

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def edit(self, staff: Staff, institution_id: str, edit: Edit, key: RequestKey | None) -> Answer:
        """Changes what the directory says, and what it accepts in a campaign.

        Raises:
            NotFound, InstitutionClosed, InvalidRequest, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            kept = await _locked(tx, institution_id)
            campaign, before, after = None, None, None
            if edit.campaign is not None and edit.accepts is not None:
                campaign = await sound_types(tx, edit.campaign, edit.accepts)
                before = await store.admission(tx, institution_id, campaign.id)
                after = admitted(edit.accepts, before, approval=campaign.institution_approval)
                await store.set_membership(tx, institution_id, campaign.id, after, now)
            entry = replace(kept.entry, **edit.fields)
            await store.update_institution(tx, institution_id, entry)
            version = store.Version(
                institution_id,
                None if campaign is None else campaign.id,
                "edit",
                before=_told(kept.entry, before),
                entry=_told(entry, after),
                actor=staff.actor,
                reason=edit.reason,
                at=now,
            )
            number = await store.write_version(tx, version)
            audited = AuditEntry(
                staff.actor,
                "institution.edit",
                f"institution:{institution_id}",
                before=version.before,
                after={**(version.entry or {}), "reason": edit.reason},
            )
            await record(tx, audited, at=now)
            answer = {"id": institution_id, "version": number, "warnings": _warnings(entry)}
            if campaign is None or after is None:
                return answer
            return answer | await self._ask_approval(tx, staff, campaign, institution_id, after, now=now)

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _ask_approval(
        self,
        tx: Tx,
        staff: Staff,
        campaign: CampaignRef,
        institution_id: str,
        admission: Admission,
        *,
        now: datetime,
    ) -> dict[str, Any]:
        if not admission.awaiting:
            return {}
        applicant = Applicant(institution_id, admission.awaiting)
        proposed = await propose_admission(tx, staff, campaign, [applicant], reason=None, now=now)
        return {"change_id": proposed["change_id"]}

    async def page(
        self, filters: store.Filters, *, limit: int, after: tuple[str, str] | None
    ) -> tuple[list[store.Listed], int]:
        """`limit` + 1 at the most, so that the caller knows whether more follow; and how many fit."""
        async with self.kit.database.snapshot() as tx:
            found = await store.page(tx, filters, limit=limit + 1, after=after)
            return found, await store.count(tx, filters)

    async def view(self, staff: Staff, institution_id: str) -> Record:
        """Everything about it, for the bureau and for the institution itself. Raises Forbidden, NotFound."""
        see_own(staff, institution_id)
        async with self.kit.database.snapshot() as tx:
            kept = await store.find(tx, institution_id)
            if kept is None:
                raise NotFound
            return Record(kept, await store.memberships(tx, institution_id))

    async def history(
        self, staff: Staff, institution_id: str, *, limit: int, before: int | None
    ) -> list[store.Version]:
        """Who entered, edited, imported, approved or closed it; newest first, `limit` + 1 at the most.

        It outlives an institution whose import was undone.

        Raises:
            Forbidden.
        """
        see_own(staff, institution_id)
        async with self.kit.database.snapshot() as tx:
            return await store.versions(tx, institution_id, limit=limit + 1, before=before)

    async def close(self, staff: Staff, institution_id: str, reason: str, key: RequestKey | None) -> Answer:
        """For good: it accepts nothing any more and is in no directory. What it wrote off stays due.

        Its terminals may still undo what they wrote off before.

        Raises:
            NotFound, InstitutionClosed, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            kept = await _locked(tx, institution_id)
            closed = await self.apply_status(tx, staff, institution_id, "closed", reason=reason, now=now)
            told = kept.entry.told()
            await store.write_version(
                tx, store.Version(institution_id, None, "close", told, None, staff.actor, reason, now)
            )
            return closed

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

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
            NotFound, InstitutionClosed, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            return await self.apply_status(tx, staff, institution_id, status, reason=reason, now=now)

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def apply_status(
        self,
        tx: Tx,
        staff: Staff,
        institution_id: str,
        status: InstitutionStatus,
        *,
        reason: str,
        now: datetime,
    ) -> dict[str, Any]:
        before = await store.change_status(tx, institution_id, status=status)
        if before is None:
            await _locked(tx, institution_id)
        action = {"paused": "pause", "active": "resume", "closed": "close"}[status]
        entry = AuditEntry(
            staff.actor,
            f"institution.{action}",
            f"institution:{institution_id}",
            before={"status": before},
            after={"status": status, "reason": reason},
        )
        await record(tx, entry, at=now)
        return {"id": institution_id, "status": status}


async def _locked(tx: Tx, institution_id: str) -> store.Kept:
    """Raises NotFound, InstitutionClosed."""
    kept = await store.lock(tx, institution_id)
    if kept is None:
        raise NotFound
    if kept.status == "closed":
        raise InstitutionClosed
    return kept


def _told(entry: DirectoryEntry, admission: Admission | None) -> dict[str, Any]:
    return {**entry.told(), "accepts": [] if admission is None else list(admission.told)}


def _warnings(entry: DirectoryEntry) -> list[dict[str, Any]]:
    return [asdict(warning) for warning in credit_code_warnings(entry.credit_code)]
