"""Settlements: made by a job, shown, and confirmed by the institution."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.redemption.disputes import store as disputes
from services.redemption.disputes.store import Dispute
from services.redemption.payees import store as payees
from services.redemption.payees.store import Account
from services.redemption.settlement import store
from services.redemption.settlement.errors import AlreadyConfirmed, AlreadyPaid
from services.redemption.settlement.rules import (
    HeldBack,
    Item,
    Line,
    Settlement,
    hold_days,
    period_faults,
    received_until,
)
from services.redemption.settlement.store import Filters
from shared import ledger
from shared.audit import AuditEntry, record
from shared.db import Tx, retried
from shared.errors import Forbidden, InvalidRequest, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import READERS, Role, Staff
from shared.ids import new_id
from shared.jobs.awaited import AwaitedJobs, Progress
from shared.jobs.awaited.store import AwaitedJob
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.vouchers import catalogue


@dataclass(frozen=True, slots=True)
class Shown:
    """A settlement with its lines, and the payers in the order of its splits."""

    settlement: Settlement
    campaign: str
    payers: Sequence[ledger.Payer]
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Totals:
    """Of all settlements that fit; fen by the payers' keys, and their names."""

    settlements: int
    count: int
    amount_fen: int
    by_payer: Mapping[str, int]
    payers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of settlements, and the totals of all pages."""

    items: list[Shown]
    totals: Totals


@dataclass(frozen=True, slots=True)
class Detail:
    """What is told of one settlement beside what a list shows.

    `earlier` are the lines of the revisions before; `payee` is the account that it was paid to, or would be.
    """

    shown: Shown
    disputes: Sequence[Dispute]
    earlier: Sequence[Sequence[Line]]
    held_back: Sequence[HeldBack]
    payee: Account | None


def visible_to(staff: Staff) -> str | None:
    """The one institution whose settlements this staff member may see; None for all of them.

    Raises:
        Forbidden.
    """
    if staff.has(*READERS):
        return None
    if not staff.has(Role.INSTITUTION) or staff.institution_id is None:
        raise Forbidden
    return staff.institution_id


@dataclass(frozen=True, slots=True)
class Settlements:
    kit: Kit
    awaited: AwaitedJobs

    async def request(
        self, staff: Staff, campaign_slug: str, first: date, last: date, key: RequestKey | None
    ) -> Answer:
        """Asks for the settlements of a period (campaign days, both included); a job makes them.

        Raises:
            NotFound: no such campaign.
            InvalidRequest: a period that ends before it begins, or is too long.
            RequestNoReused.
        """
        faults = period_faults(first, last)
        if faults:
            raise InvalidRequest(faults=faults)
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            campaign = await catalogue.campaign_by_slug(tx, campaign_slug)
            period = {"from": first.isoformat(), "to": last.isoformat()}
            arguments = {"campaign_id": str(campaign.id), **period}
            asked = await self.awaited.request(
                tx, Kind.SETTLEMENT_REQUESTED, arguments, requested_by=staff.id
            )
            entry = AuditEntry(
                staff.actor, "settlement.request", f"campaign:{campaign.slug}", after={**period, **asked}
            )
            await record(tx, entry, at=now)
            return dict(asked)

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def make(self, job: AwaitedJob, progress: Progress) -> dict[str, Any]:
        """The work of the job: one transaction for each institution, safe to begin again."""
        campaign_id, now = UUID(job.arguments["campaign_id"]), self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            campaign = await catalogue.campaign_by_id(tx, campaign_id)
            days = hold_days(campaign.settlement_hold_days, self.kit.settings.settlement_hold_days)
            run = store.Run(
                id=job.id,
                campaign_id=campaign_id,
                first=date.fromisoformat(job.arguments["from"]),
                last=date.fromisoformat(job.arguments["to"]),
                requested_by=job.requested_by,
                hold_days=days,
                received_until=received_until(now, days),
            )
            until = await store.open_run(tx, run, now)
            institutions = await store.members(tx, campaign_id)
        for done, institution_id in enumerate(institutions, start=1):
            await self._settle_institution(run.id, institution_id, until, now)
            await progress.report(done, len(institutions))
        async with self.kit.database.snapshot() as tx:
            settlements, count, corrections, amount_fen = await store.of_run(tx, run.id)
            held_back = await store.held_back_by(tx, run.id)
        return {
            "settlements": settlements,
            "count": count,
            "corrections": corrections,
            "amount_fen": amount_fen,
            "held_back": held_back,
        }

    @retried
    async def _settle_institution(
        self, run_id: UUID, institution_id: str, until: datetime | None, now: datetime
    ) -> None:
        async with self.kit.database.transaction(slow=True) as tx:
            await store.settle_institution(
                tx, run_id, institution_id, settlement_id=new_id(), received_until=until, now=now
            )

    async def page(
        self,
        staff: Staff,
        campaign_slug: str | None,
        filters: Filters,
        *,
        limit: int,
        after: tuple[datetime, UUID] | None,
    ) -> Found:
        """Newest first, one more than `limit` if there are more. Raises Forbidden, NotFound."""
        own = visible_to(staff)
        async with self.kit.database.snapshot() as tx:
            campaign_id = None
            if campaign_slug is not None:
                campaign_id = (await catalogue.campaign_by_slug(tx, campaign_slug)).id
            chosen = replace(filters, campaign_id=campaign_id, institution_id=own or filters.institution_id)
            if own is not None and filters.institution_id not in (None, own):
                raise Forbidden
            found = await store.page(tx, chosen, limit=limit + 1, after=after)
            return Found(await show(tx, found), await _totals(tx, await store.sums(tx, chosen)))

    async def one(self, staff: Staff, settlement_id: UUID) -> Detail:
        """Raises NotFound, Forbidden."""
        async with self.kit.database.snapshot() as tx:
            settlement = _allowed(staff, await store.by_id(tx, settlement_id))
            return Detail(
                shown=(await show(tx, [settlement]))[0],
                disputes=await disputes.of_settlement(tx, settlement_id),
                earlier=await store.earlier_lines(tx, settlement),
                held_back=await store.held_back_of(tx, settlement),
                payee=(await payees_of(tx, [settlement])).get(settlement_id),
            )

    async def items(
        self, staff: Staff, settlement_id: UUID, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> list[Item]:
        """Its write-offs and corrections, one more than `limit` if there are more.

        Raises:
            NotFound, Forbidden.
        """
        async with self.kit.database.snapshot() as tx:
            _allowed(staff, await store.by_id(tx, settlement_id))
            return await store.items(tx, settlement_id, limit=limit + 1, after=after)

    async def confirm(self, staff: Staff, settlement_id: UUID, key: RequestKey | None) -> Answer:
        """The institution says that it is right; a dispute is over then.

        Raises:
            NotFound, Forbidden, AlreadyConfirmed, AlreadyPaid, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            await lock_draft(tx, staff, settlement_id)
            await disputes.end_open(tx, settlement_id, "confirmed", by=staff.id, now=now)
            await store.confirm(tx, settlement_id, by=staff.id, now=now)
            entry = AuditEntry(
                staff.actor,
                "settlement.confirm",
                f"settlement:{settlement_id}",
                before={"status": "draft"},
                after={"status": "confirmed"},
            )
            await record(tx, entry, at=now)
            return {"id": str(settlement_id), "status": "confirmed", "dispute": None}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)


async def lock_draft(tx: Tx, staff: Staff, settlement_id: UUID) -> None:
    """Locks the settlement of the staff member's institution; it is a draft.

    Raises:
        NotFound, Forbidden, AlreadyConfirmed, AlreadyPaid.
    """
    settlement = await store.by_id(tx, settlement_id, lock=True)
    if settlement is None:
        raise NotFound
    if not staff.has(Role.INSTITUTION) or staff.institution_id != settlement.institution_id:
        raise Forbidden
    if settlement.status != "draft":
        raise AlreadyPaid if settlement.status == "paid" else AlreadyConfirmed


def _allowed(staff: Staff, settlement: Settlement | None) -> Settlement:
    if settlement is None:
        raise NotFound
    if visible_to(staff) not in (None, settlement.institution_id):
        raise Forbidden
    return settlement


async def show(tx: Tx, settlements: Sequence[Settlement]) -> list[Shown]:
    """With their lines, payers and the campaigns' slugs."""
    lines = await store.lines(tx, [settlement.id for settlement in settlements])
    known: dict[UUID, tuple[str, Sequence[ledger.Payer]]] = {}
    for campaign_id in {settlement.campaign_id for settlement in settlements}:
        campaign = await catalogue.campaign_by_id(tx, campaign_id)
        known[campaign_id] = campaign.slug, (await ledger.fund_of(tx, campaign_id)).payers
    return [
        Shown(settlement, *known[settlement.campaign_id], lines.get(settlement.id, []))
        for settlement in settlements
    ]


async def _totals(tx: Tx, sums: Sequence[store.Sums]) -> Totals:
    by_key: Counter[str] = Counter()
    names: dict[str, str] = {}
    for one in sums:
        payers = (await ledger.fund_of(tx, one.campaign_id)).payers
        for payer, fen in zip(payers, one.split_fen, strict=True):
            by_key[payer.key] += fen
            names[payer.key] = payer.name
    return Totals(
        settlements=sum(one.settlements for one in sums),
        count=sum(one.count for one in sums),
        amount_fen=sum(one.amount_fen for one in sums),
        by_payer=by_key,
        payers=names,
    )


async def payees_of(tx: Tx, settlements: Sequence[Settlement]) -> dict[UUID, Account]:
    """By settlement: of a paid one the account that was in force then, else the one that is now."""
    unpaid = [one for one in settlements if one.status != "paid"]
    now_in_force = await payees.in_force(tx, [one.institution_id for one in unpaid])
    paid_to = [one.payee_account_id for one in settlements if one.payee_account_id is not None]
    then = await payees.by_ids(tx, paid_to)
    found = {one.id: now_in_force.get(one.institution_id) for one in unpaid}
    found |= {one.id: then[one.payee_account_id] for one in settlements if one.payee_account_id is not None}
    return {key: account for key, account in found.items() if account is not None}


def by_payer(payers: Sequence[ledger.Payer], split_fen: Sequence[int]) -> dict[str, int]:
    return {payer.key: fen for payer, fen in zip(payers, split_fen, strict=True)}
