"""Writing off for people without a phone: by the number of the id card that they show."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.redemption.lockouts.operations import Lockouts
from services.redemption.manual import store
from services.redemption.manual.errors import ManualNotOffered, NoVoucherOfHolder
from services.redemption.terminals.operations import SignedTerminal
from services.redemption.writeoff import store as writeoffs
from services.redemption.writeoff.errors import (
    BY_WORD,
    InstitutionPaused,
    ReversedBeforeArrival,
    TerminalPaused,
)
from services.redemption.writeoff.operations import Redeemed, bill_wanted, redeemed_of
from shared.clock import CHINA
from shared.db import Tx, retried
from shared.errors import Refusal, RequestNoReused
from shared.idempotency import fingerprint
from shared.identity.persons import IDENTITY_DOMAIN, resident_id
from shared.ids import HotId
from shared.kit import Kit
from shared.signing.store import use_nonce
from shared.vouchers import catalogue

_SOURCE = "manual"
_GENERAL = "general"


def reason_context(address: HotId) -> str:
    """What ties a sealed reason to its write-off."""
    return f"manual/{address}"


@dataclass(frozen=True, slots=True)
class Asked:
    request_no: str
    id_number: str
    voucher_type: str
    reason: str
    bill_fen: int | None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    item: store.Item
    reason: str | None


@dataclass(frozen=True, slots=True)
class ManualWriteOffs:
    kit: Kit
    lockouts: Lockouts

    async def redeem(self, terminal: SignedTerminal, asked: Asked) -> Redeemed:
        """Writes off the voucher of that type that ends first, once for its request number.

        What can be known without the holder is refused first, so that nobody learns of a person by it.

        Raises:
            IdNumberInvalid, TooManyWrongCodes, Replayed, RequestNoReused, ReversedBeforeArrival.
            ManualNotOffered, TerminalPaused, InstitutionPaused, InvalidRequest (a general voucher without a
            bill), OperatorRequired, OperatorUnknown, and NoVoucherOfHolder for every other reason.
        """
        self.lockouts.require_open(terminal)
        number = resident_id(asked.id_number, self.kit.clock.now().astimezone(CHINA).date())
        identity_hash = self.kit.keys.index.digest(IDENTITY_DOMAIN, number)
        try:
            return await self._redeem(terminal, asked, identity_hash)
        except NoVoucherOfHolder:
            await self.lockouts.refuse_miss(terminal)
            raise

    @retried
    async def _redeem(self, terminal: SignedTerminal, asked: Asked, identity_hash: bytes) -> Redeemed:
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            await use_nonce(tx, terminal.header, now)
            offer = await store.offer(tx, terminal.id, asked.voucher_type, asked.operator)
            refusal = _refused_beforehand(offer, asked)
            found = None
            if refusal is None:
                found = await store.candidate(
                    tx,
                    institution_id=terminal.institution_id,
                    identity_hash=identity_hash,
                    voucher_type=asked.voucher_type,
                    now=now,
                )
            # Also without a voucher: a number that was used before is answered as it was.
            item = _item(terminal, asked, identity_hash, found)
            (outcome,) = await writeoffs.redeem_within(tx, [item], source=_SOURCE, now=now)
            done = redeemed_of(asked.request_no, outcome)
            if done is None:
                raise _refusal(outcome.word, refusal)
            if not done.replayed:
                await self._keep_reason(tx, terminal, done.id, asked.reason, now)
        return done

    async def _keep_reason(
        self, tx: Tx, terminal: SignedTerminal, address: HotId, reason: str, now: datetime
    ) -> None:
        values = {
            "bucket": address.bucket,
            "redemption_id": address.uuid,
            "campaign_id": await store.campaign_of(tx, address.bucket, address.uuid),
            "institution_id": terminal.institution_id,
            "terminal_id": terminal.id,
            "reason_sealed": self.kit.keys.sealer.seal_text(reason, context=reason_context(address)),
            "at": now,
        }
        await store.insert_reason(tx, values)

    async def page(
        self, campaign_slug: str, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> tuple[list[Listed], int]:
        """The newest first, one more than `limit` if there are more; and how many. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, campaign_slug)
            found = await store.page(tx, campaign.id, after=after, limit=limit + 1)
            total = await store.count(tx, campaign.id)
        return [Listed(one, self._reason(one)) for one in found], total

    def _reason(self, item: store.Item) -> str | None:
        if item.reason_sealed is None:
            return None
        context = reason_context(HotId(item.bucket, item.redemption_id))
        return self.kit.keys.sealer.open_text(item.reason_sealed, context=context)

    async def forget_reasons(self) -> None:
        """What was written about people who are forgotten goes too. Safe to run twice."""
        async with self.kit.database.transaction(slow=True) as tx:
            await store.forget_reasons(tx)


def _refused_beforehand(offer: store.Offer, asked: Asked) -> Refusal | None:
    """What speaks against it whoever the holder is."""
    if offer.kind is None:
        return ManualNotOffered()
    if offer.terminal == "paused":
        return TerminalPaused()
    if offer.institution != "active":
        return InstitutionPaused()
    if offer.kind == _GENERAL and not asked.bill_fen:
        return bill_wanted()
    return None if offer.operator is None else BY_WORD[offer.operator]()


def _refusal(word: str, beforehand: Refusal | None) -> Refusal:
    if word == RequestNoReused.code:
        return RequestNoReused()
    if word == ReversedBeforeArrival.code:
        return ReversedBeforeArrival()
    return beforehand or NoVoucherOfHolder()


def _item(
    terminal: SignedTerminal, asked: Asked, identity_hash: bytes, found: store.Candidate | None
) -> writeoffs.WriteOff:
    """The item as the database takes it. Its fingerprint holds the number as a keyed hash only."""
    told = ["manual", identity_hash.hex(), asked.voucher_type, asked.reason, asked.bill_fen]
    if asked.operator is not None:
        told.append(asked.operator)
    return writeoffs.WriteOff(
        key_id=terminal.id,
        nonce=terminal.header.nonce,
        again=False,
        caller=terminal.caller,
        request_no=asked.request_no,
        fingerprint=fingerprint(told),
        bucket=None if found is None else found.bucket,
        code_hash=None if found is None else found.code_hash,
        token_expired=False,
        bill_fen=asked.bill_fen,
        used_at=None,
        word=None,
        operator=asked.operator,
    )
