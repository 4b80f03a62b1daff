"""Vouchers as staff look them up and revoke them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from services.issuance.changes.operations import cause_of
from services.issuance.terms import store as terms
from services.issuance.vouchers import store
from services.issuance.vouchers.errors import VoucherNotRevocable
from services.issuance.vouchers.schemas import (
    HolderView,
    Move,
    Revocation,
    StaffVoucher,
    StaffVoucherDetail,
    Status,
)
from services.issuance.vouchers.store import Found, Wanted
from services.issuance.wallet.rules import status_shown
from shared import ledger
from shared.approvals import Applier, Change, propose
from shared.clock import CHINA, rfc3339
from shared.db import Tx
from shared.errors import Fault, InvalidRequest, NoLongerFits, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import HotId, parse_hot_id
from shared.jobs.kinds import Kind, Queue
from shared.kit import Kit
from shared.outbox import add
from shared.vouchers import catalogue
from shared.vouchers.codes import resolve

REVOKE = "voucher_revoke"

_NO_LONGER = {"redeemed": "该券已核销。", "expired": "该券已过期。", "revoked": "该券已作废。"}


@dataclass(frozen=True, slots=True)
class Search:
    """A campaign, a holder or both, and what else narrows it; days of issue are inclusive, China's time."""

    campaign: str | None
    holder: HotId | None
    voucher_type: str | None
    status: Status | None
    issued_from: date | None
    issued_to: date | None


@dataclass(frozen=True, slots=True)
class Vouchers:
    kit: Kit
    service: str

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {REVOKE: self._apply_revocation}

    async def page(
        self, search: Search, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> tuple[list[StaffVoucher], tuple[datetime, UUID] | None, int]:
        """A page, newest first, the place behind which the next one begins, and how many fit in all.

        Raises InvalidRequest when neither campaign nor holder is named: there is no list of everything.
        """
        if search.campaign is None and search.holder is None:
            raise InvalidRequest(
                faults=(Fault("query.campaign", "请指定活动或持券人", "campaign_or_holder"),)
            )
        now, wanted = self.kit.clock.now(), _wanted(search)
        async with self.kit.database.snapshot() as tx:
            found = await store.page(tx, wanted, now=now, after=after, limit=limit + 1)
            total = await store.how_many(tx, wanted, now=now)
        last = found[limit - 1] if len(found) > limit else None
        views = [StaffVoucher(**self._view(row)) for row in found[:limit]]
        return views, None if last is None else (last.issued_at, last.id), total

    async def one(self, voucher: HotId) -> StaffVoucherDetail:
        """Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            return await self._detail(tx, await store.one(tx, voucher))

    async def by_code(self, text: str) -> StaffVoucherDetail:
        """The voucher of a code or of a token that was shown just now. Raises NotFound."""
        keys = self.kit.keys
        presented = resolve(text, index=keys.index, token_key=keys.token, now=self.kit.clock.now())
        if presented is None:
            raise NotFound
        async with self.kit.database.snapshot() as tx:
            return await self._detail(tx, await store.by_code(tx, presented.bucket, presented.code_hash))

    async def propose_revocation(
        self, staff: Staff, voucher: HotId, wanted: Revocation, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, VoucherNotRevocable."""
        now = self.kit.clock.now()

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                found = await store.one(tx, voucher)
                if found is None:
                    raise NotFound
                if found.state != "issued":
                    raise VoucherNotRevocable
                told = {
                    "campaign": found.campaign,
                    "phase": found.phase_seq,
                    "voucher_type": found.voucher_type,
                }
                return await propose(
                    tx,
                    staff,
                    service=self.service,
                    kind=REVOKE,
                    target=str(voucher),
                    body={"voucher_id": str(voucher), **told},
                    before={"status": found.state, "amount_fen": found.amount_fen},
                    reason=wanted.reason,
                    now=now,
                )

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _apply_revocation(self, tx: Tx, change: Change) -> None:
        """Revokes, gives value and piece back, and has the holder told. Raises NoLongerFits.

        The piece returns to the stock of its phase, also when that is over: there it can be taken out by
        a change, and its budget is free. What the holder won still counts for the holder's limits.
        """
        voucher, now = parse_hot_id(change.body["voucher_id"]), self.kit.clock.now()
        campaign = await catalogue.campaign_by_slug(tx, change.body["campaign"])
        await store.lock_piece(tx, voucher)
        if not await store.revoke(tx, voucher, actor=f"change:{change.id}", now=now):
            state = await store.state_of(tx, voucher)
            raise NoLongerFits(_NO_LONGER.get(str(state)))
        await cover_returned(tx, campaign.id, cause_of(change, campaign, now))
        told = {"voucher_id": str(voucher), "change_id": str(change.id)}
        await add(tx, Queue.ISSUANCE, Kind.VOUCHER_REVOKED, told, bucket=voucher.bucket)

    async def _detail(self, tx: Tx, found: Found | None) -> StaffVoucherDetail:
        if found is None:
            raise NotFound
        moves = [
            Move(
                kind=move.kind,
                at=rfc3339(move.at),
                amount_fen=move.amount_fen,
                institution_id=move.institution_id,
                actor=move.actor,
            )
            for move in await store.history(tx, HotId(found.bucket, found.id))
        ]
        return StaffVoucherDetail(**self._view(found), history=moves)

    def _view(self, row: Found) -> dict[str, Any]:
        status = status_shown(row.state, row.valid_until, self.kit.clock.now())
        holder = HolderView(person_id=str(HotId(row.bucket, row.person_id)), name_masked=row.name_masked)
        return {
            "id": str(HotId(row.bucket, row.id)),
            "campaign": row.campaign,
            "phase": row.phase_seq,
            "voucher_type": row.voucher_type,
            "name": row.name,
            "kind": row.kind,
            "status": cast("Status", status),
            "amount_fen": row.amount_fen,
            "holder": holder,
            "valid_from": rfc3339(row.valid_from),
            "valid_until": rfc3339(row.valid_until),
            "issued_at": rfc3339(row.issued_at),
            "redeemed_at": rfc3339(row.redeemed_at) if row.redeemed_at else None,
            "institution_id": row.institution_id,
        }


async def cover_returned(tx: Tx, campaign_id: UUID, cause: ledger.Cause) -> None:
    """What follows when pieces have returned: their locks are held.

    Their value went back by the shares of its time, they will be issued by those in force.
    """
    pieces = await terms.lock_remaining(tx, campaign_id)
    await ledger.cover(tx, campaign_id, cause, pieces=pieces)


def _wanted(search: Search) -> Wanted:
    # A voucher past its time is expired for everybody, also before the job has come to it.
    ended = search.status == "expired"
    return Wanted(
        campaign=search.campaign,
        holder=search.holder,
        voucher_type=search.voucher_type,
        state=None if ended else search.status,
        alive=search.status == "issued",
        ended=ended,
        issued_from=None if search.issued_from is None else _midnight(search.issued_from),
        issued_before=None if search.issued_to is None else _midnight(search.issued_to + timedelta(days=1)),
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=CHINA)
