"""The write-off in one session: load, look, change, add, commit."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from bench.baseline import store
from bench.baseline.schemas import Redeem, Redemption
from services.redemption.terminals.tables import TerminalRow
from services.redemption.writeoff.tables import RedemptionRow
from shared.clock import local_day, machine_now
from shared.crypto import Keys
from shared.errors import RequestNoReused
from shared.idempotency import fingerprint
from shared.idempotency.tables import RequestRow
from shared.ids import HotId, new_id
from shared.ledger.tables import TransferRow
from shared.metrics.tables import TallyDeltaRow
from shared.money import split_within
from shared.outbox.tables import OutboxRow
from shared.signing import NONCE_LIFE, BadSignature, Replayed, SignatureHeader, check
from shared.signing.tables import NonceRow
from shared.vouchers.codes import Presented, resolve
from shared.vouchers.tables import VoucherRow


class NotRedeemable(Exception):
    """The voucher cannot be written off here and now."""


@dataclass(frozen=True, slots=True)
class Shop:
    """`lead` is how far the platform's clock is ahead of the machine's."""

    sessions: async_sessionmaker[AsyncSession]
    keys: Keys
    lead: timedelta

    async def redeem(self, header: SignatureHeader, message: bytes, asked: Redeem) -> Redemption:
        """Raises BadSignature, Replayed, RequestNoReused, NotRedeemable."""
        now = machine_now() + self.lead
        async with self.sessions() as session, session.begin():
            terminal = await self._signer(session, header, message, now)
            if await store.request(session, terminal, asked.request_no) is not None:
                raise RequestNoReused
            voucher, presented = await self._voucher(session, asked, now)
            await self._eligible(session, terminal, voucher)
            return await self._written_off(session, terminal, voucher, presented, asked, now)

    async def _signer(
        self, session: AsyncSession, header: SignatureHeader, message: bytes, now: datetime
    ) -> TerminalRow:
        terminal = await store.terminal(session, header.key_id)
        if terminal is None or terminal.status != "active" or terminal.key_sealed is None:
            raise BadSignature
        key = self.keys.sealer.open_text(terminal.key_sealed, context=f"terminal/{terminal.id}/key")
        check(header, keys=[key], message=message, now=now)
        if await store.nonce(session, terminal.id, header.nonce) is not None:
            raise Replayed
        session.add(NonceRow(key_id=terminal.id, nonce=header.nonce, expires_at=now + NONCE_LIFE))
        return terminal

    async def _voucher(
        self, session: AsyncSession, asked: Redeem, now: datetime
    ) -> tuple[VoucherRow, Presented]:
        presented = resolve(asked.voucher, index=self.keys.index, token_key=self.keys.token, now=now)
        if presented is None or presented.expired:
            raise NotRedeemable
        voucher = await store.lock_voucher(session, presented.bucket, presented.code_hash)
        if (
            voucher is None
            or voucher.state != "issued"
            or not voucher.valid_from <= now < voucher.valid_until
        ):
            raise NotRedeemable
        return voucher, presented

    async def _eligible(self, session: AsyncSession, terminal: TerminalRow, voucher: VoucherRow) -> None:
        institution = await store.institution(session, terminal.institution_id)
        membership = await store.membership(session, terminal.institution_id, voucher.campaign_id)
        if institution is None or institution.status != "active" or institution.operators_required:
            raise NotRedeemable
        if membership is None or voucher.voucher_type not in membership.accepts:
            raise NotRedeemable

    async def _written_off(  # noqa: PLR0917 - a step of `redeem`, with what it has found
        self,
        session: AsyncSession,
        terminal: TerminalRow,
        voucher: VoucherRow,
        presented: Presented,
        asked: Redeem,
        now: datetime,
    ) -> Redemption:
        campaign = await store.campaign(session, voucher.campaign_id)
        fund = await store.fund_version(session, voucher.campaign_id, voucher.fund_version)
        if campaign is None or fund is None:
            raise NotRedeemable
        applied = min(voucher.amount_fen, asked.bill_fen)
        split = split_within(applied, fund.shares_ppm, voucher.split_fen)
        rest = [whole - part for whole, part in zip(voucher.split_fen, split, strict=True)]
        voucher.state, voucher.redeemed_at = "redeemed", now
        voucher.institution_id = terminal.institution_id
        redemption = RedemptionRow(
            bucket=voucher.bucket,
            id=new_id(),
            voucher_id=voucher.id,
            institution_id=terminal.institution_id,
            terminal_id=terminal.id,
            campaign_id=voucher.campaign_id,
            voucher_type=voucher.voucher_type,
            kind=voucher.kind,
            request_no=asked.request_no,
            bill_fen=asked.bill_fen,
            applied_fen=applied,
            payable_fen=asked.bill_fen - applied,
            split_fen=split,
            redeemed_at=now,
            received_at=now,
            source="online",
        )
        session.add_all(
            [
                redemption,
                _request(terminal, redemption, [presented.bucket, presented.code_hash.hex()]),
                *_booked(redemption, "redeem", "payable", split, campaign.timezone),
                *(_booked(redemption, "release", "available", rest, campaign.timezone) if any(rest) else ()),
                *_announced(redemption),
            ]
        )
        return Redemption(
            id=str(HotId(redemption.bucket, redemption.id)),
            request_no=asked.request_no,
            voucher_type=voucher.voucher_type,
            applied_fen=applied,
            payable_fen=redemption.payable_fen,
            redeemed_at=now,
        )


def _request(terminal: TerminalRow, redemption: RedemptionRow, shown: list[object]) -> RequestRow:
    return RequestRow(
        bucket=terminal.bucket,
        caller_id=terminal.caller_id,
        operation="redemption",
        request_no=redemption.request_no,
        fingerprint=fingerprint([shown, redemption.bill_fen]),
        result_bucket=redemption.bucket,
        result_id=redemption.id,
        created_at=redemption.received_at,
    )


def _booked(
    redemption: RedemptionRow, kind: str, credit: str, amounts: list[int], timezone: str
) -> list[TransferRow | TallyDeltaRow]:
    return [
        TransferRow(
            bucket=redemption.bucket,
            source_id=redemption.id,
            kind=kind,
            campaign_id=redemption.campaign_id,
            debit="committed",
            credit=credit,
            amounts_fen=amounts,
            voucher_id=redemption.voucher_id,
            institution_id=redemption.institution_id,
            actor=f"terminal:{redemption.terminal_id}",
            at=redemption.received_at,
        ),
        TallyDeltaRow(
            id=new_id(),
            scope_id=redemption.campaign_id,
            day=local_day(redemption.received_at, timezone),
            measure=kind,
            dim=redemption.voucher_type,
            dim2=redemption.institution_id,
            n=1,
            amounts_fen=amounts,
        ),
    ]


def _announced(redemption: RedemptionRow) -> list[OutboxRow]:
    voucher = str(HotId(redemption.bucket, redemption.voucher_id))
    made = str(HotId(redemption.bucket, redemption.id))
    return [
        _outbox(redemption, "issuance", "issuance.voucher_redeemed", {"voucher_id": voucher}),
        _outbox(redemption, "redemption", "redemption.redemption_counted", {"redemption_id": made}),
    ]


def _outbox(redemption: RedemptionRow, queue: str, kind: str, payload: dict[str, str]) -> OutboxRow:
    now = machine_now()
    return OutboxRow(
        bucket=redemption.bucket,
        id=new_id(),
        queue=queue,
        kind=kind,
        payload=payload,
        next_at=now,
        created_at=now,
    )
