"""Claiming awards, and what a person holds."""

import io
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import segno

from services.issuance.holds.errors import AwardOnHold, AwardWithdrawn
from services.issuance.lottery.errors import LimitReached
from services.issuance.wallet import store
from services.issuance.wallet.errors import AwardAlreadyClaimed, AwardExpired, OutOfStock
from services.issuance.wallet.rules import face_value, status_shown
from services.issuance.wallet.schemas import HotInstitution, HotToken, HotVoucher
from services.issuance.wallet.store import Claimed, Voucher
from shared.batching import Batcher
from shared.clock import machine_now, rfc3339
from shared.db import Tx
from shared.errors import Fault, InvalidRequest, NotFound, Refusal, RequestNoReused, invariant
from shared.idempotency import fingerprint
from shared.identity.citizens import Citizen
from shared.identity.presence import present_only
from shared.ids import HotId, new_id, parse_hot_id
from shared.jobs.store import Place
from shared.jobs.walks import Stride, walk
from shared.kit import Kit
from shared.vouchers.codes import code_context, code_hash, grouped, make_code, make_token
from shared.vouchers.offline import LATE_ARRIVAL

EXPIRE_AT_ONCE = 500
EXPIRY_WALK = "issuance.expire_vouchers"
# The standard asks for four modules of white around a QR code; cashiers' scanners need them.
QUIET_ZONE = 4

_REFUSALS: Mapping[str, type[Refusal]] = {
    "request_no_reused": RequestNoReused,
    "not_found": NotFound,
    AwardAlreadyClaimed.code: AwardAlreadyClaimed,
    AwardExpired.code: AwardExpired,
    AwardOnHold.code: AwardOnHold,
    AwardWithdrawn.code: AwardWithdrawn,
    LimitReached.code: LimitReached,
    OutOfStock.code: OutOfStock,
    "not_released": OutOfStock,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """The voucher that an award became; `replayed` when the request number was used before."""

    reply: HotVoucher
    replayed: bool


@dataclass(frozen=True, slots=True)
class _Wish:
    citizen: Citizen
    award: HotId
    request_no: str
    voucher_type: str


@dataclass(frozen=True, slots=True)
class Held:
    """A voucher as it is listed, and its place in the list."""

    view: HotVoucher
    issued_at: datetime
    id: UUID


def _person(item: _Wish) -> Hashable:
    return item.citizen.person_id


class Wallet:
    """Claims of all campaigns and types share one batch: one commit, however the wishes are spread."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._claims: Batcher[_Wish, Claim | Refusal] = Batcher(
            present_only(kit.database, self._claim_batch), apart=_person
        )

    async def claim(self, citizen: Citizen, award_id: str, request_no: str, voucher_type: str) -> Claim:
        """Turns an award into a voucher of this type.

        Raises:
            NotFound: the award never was, or is somebody else's.
            InvalidRequest: the campaign has no such voucher type.
            OutOfStock, AwardAlreadyClaimed, AwardOnHold, AwardWithdrawn, AwardExpired, LimitReached,
            RequestNoReused: as named.
        """
        item = _Wish(citizen, parse_hot_id(award_id), request_no, voucher_type)
        result = await self._claims.submit(None, item)
        if isinstance(result, Refusal):
            raise result
        return result

    async def voucher(self, citizen: Citizen, voucher_id: str) -> HotVoucher:
        """Raises NotFound, also for somebody else's."""
        return self._view(await self._held(citizen, voucher_id))

    async def vouchers(
        self, citizen: Citizen, campaign: str | None, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> list[Held]:
        """Vouchers from behind a position, newest first."""
        owner = HotId(citizen.bucket, citizen.person_id)
        async with self._kit.database.snapshot() as tx:
            found = await store.vouchers(tx, owner, campaign, before=before, limit=limit)
        return [Held(self._view(row), row.issued_at, row.voucher_id) for row in found]

    async def token(self, citizen: Citizen, voucher_id: str) -> HotToken:
        """The rotating text behind the QR code. Raises NotFound.

        Whether the voucher can still be used is decided at the till, which also says why not.
        """
        held = await self._held(citizen, voucher_id)
        token, until = make_token(
            self._kit.keys.token, bucket=held.bucket, hashed=held.code_hash, now=self._kit.clock.now()
        )
        return HotToken(token, rfc3339(until))

    async def qr_svg(self, citizen: Citizen, voucher_id: str) -> bytes:
        """The token as a picture. Raises NotFound."""
        shown = await self.token(citizen, voucher_id)
        picture = io.BytesIO()
        segno.make(shown.token, error="m", micro=False).save(
            picture, kind="svg", border=QUIET_ZONE, light="#fff", omitsize=True, title="消费券二维码"
        )
        return picture.getvalue()

    async def expire_vouchers(self) -> int:
        """Ends vouchers whose time is over; their value goes back. Returns how many.

        A till without a line may still bring a write-off from when a voucher was good: until that is
        too late, the voucher is only shown as expired. Safe on any number of workers.
        """

        async def step(tx: Tx, after: Place, until: datetime) -> Stride:
            now = self._kit.clock.now()
            return await store.expire_vouchers(tx, after, now=now, ended_before=until, limit=EXPIRE_AT_ONCE)

        def until() -> datetime:
            return self._kit.clock.now() - LATE_ARRIVAL

        return await walk(self._kit.database, EXPIRY_WALK, until=until, step=step)

    async def expire_restored(self, tx: Tx, vouchers: Sequence[HotId]) -> None:
        """Ends those of these vouchers, given back just now, whose time was over when the walk had passed."""
        now = self._kit.clock.now()
        await store.expire_these(tx, vouchers, now=now, ended_before=now - LATE_ARRIVAL)

    async def drain(self) -> None:
        """Answers what was submitted; at the end of a process."""
        await self._claims.drain()

    async def _held(self, citizen: Citizen, voucher_id: str) -> Voucher:
        address = parse_hot_id(voucher_id)
        found = await store.voucher(self._kit.database, address, citizen.person_id)
        if found is None:
            raise NotFound
        return found

    async def _claim_batch(self, _key: Hashable, items: Sequence[_Wish]) -> Sequence[Claim | Refusal]:
        try:
            rows = await self._run(items)
        except store.CodeTaken:
            rows = await self._run(items)
        replies = [self._claim(row) for row in rows]
        held_back = [place for place, row in enumerate(rows) if row.outcome == "not_released"]
        if held_back:
            found = await self._next_releases([items[place] for place in held_back])
            for place, refusal in zip(held_back, found, strict=True):
                replies[place] = refusal
        return replies

    async def _next_releases(self, items: Sequence[_Wish]) -> list[OutOfStock]:
        """Says when more of the types that these persons chose can be claimed."""
        awards, types = [item.award for item in items], [item.voucher_type for item in items]
        now = self._kit.clock.now()
        moments = [
            planned.release.next_at(planned.issued, now)
            for planned in await store.releases(self._kit.database, awards, types)
        ]
        return [OutOfStock(next_release_at=rfc3339(moment) if moment else None) for moment in moments]

    async def _run(self, items: Sequence[_Wish]) -> list[Claimed]:
        claims = [self._with_code(item) for item in items]
        return await store.claim_batch(
            self._kit.database, claims, now=self._kit.clock.now(), sent_at=machine_now()
        )

    def _with_code(self, item: _Wish) -> store.Claim:
        voucher_id, code = new_id(), make_code(item.award.bucket)
        return store.Claim(
            address=HotId(item.award.bucket, voucher_id),
            person_id=item.citizen.person_id,
            award=item.award,
            voucher_type=item.voucher_type,
            request_no=item.request_no,
            fingerprint=fingerprint([str(item.award), item.voucher_type]),
            code_hash=code_hash(self._kit.keys.index, code),
            code_sealed=self._kit.keys.sealer.seal_text(code, context=code_context(voucher_id)),
            outbox_id=new_id(),
        )

    def _claim(self, row: Claimed) -> Claim | Refusal:
        if row.outcome == "voucher_type_unknown":
            fault = Fault("body.voucher_type", "本活动没有这种券。", "voucher_type_unknown")
            return InvalidRequest(faults=(fault,))
        if row.outcome in _REFUSALS:
            return _REFUSALS[row.outcome]()
        invariant(row.outcome in {"created", "replayed"}, f"a claim ended as {row.outcome!r}")
        if row.code_sealed is None:
            # Of an earlier life: its holder was forgotten, and came back.
            return RequestNoReused()
        # A repetition is answered as the first time, whatever became of the voucher since.
        reply = HotVoucher(
            id=str(HotId(row.bucket, row.voucher_id)),
            code=self._code(row),
            campaign=row.campaign,
            voucher_type=row.voucher_type,
            name=row.name,
            kind=row.kind,
            status="issued",
            face_value_fen=face_value(row.kind, row.amount_fen),
            valid_from=rfc3339(row.valid_from),
            valid_until=rfc3339(row.valid_until),
            redeemed_at=None,
            institution=None,
        )
        return Claim(reply, replayed=row.outcome == "replayed")

    def _view(self, row: Voucher) -> HotVoucher:
        return HotVoucher(
            id=str(HotId(row.bucket, row.voucher_id)),
            code=self._code(row),
            campaign=row.campaign,
            voucher_type=row.voucher_type,
            name=row.name,
            kind=row.kind,
            status=status_shown(row.state, row.valid_until, self._kit.clock.now()),
            face_value_fen=face_value(row.kind, row.amount_fen),
            valid_from=rfc3339(row.valid_from),
            valid_until=rfc3339(row.valid_until),
            redeemed_at=rfc3339(row.redeemed_at) if row.redeemed_at else None,
            institution=HotInstitution(row.institution_id) if row.institution_id else None,
        )

    def _code(self, row: Claimed | Voucher) -> str:
        assert row.code_sealed is not None  # noqa: S101 - claims refuse, look-ups leave out those without
        return grouped(self._kit.keys.sealer.open_text(row.code_sealed, context=code_context(row.voucher_id)))
