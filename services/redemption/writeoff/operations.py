"""The write-off at a till: look, redeem, ask again for a lost answer."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.redemption.lockouts.operations import Lockouts
from services.redemption.terminals.operations import SignedTerminal
from services.redemption.writeoff import store
from services.redemption.writeoff.errors import BY_WORD, RequestUnknown, VoucherNotFound
from services.redemption.writeoff.rules import IN_FUTURE, applied_fen, storable, time_fault
from shared.batching import Batcher
from shared.db import retried
from shared.errors import Fault, InvalidRequest, Refusal, RequestNoReused, invariant
from shared.idempotency import fingerprint
from shared.ids import HotId
from shared.kit import Kit
from shared.signing.store import use_nonce
from shared.vouchers.codes import Presented, resolve

# One lane each: per process one batch is under way, and what arrives meanwhile is the next.
_LANE = "tills"
_CREATED, _REPLAYED = "created", "replayed"
_BILL_WANTED = "bill_fen_required"


@dataclass(frozen=True, slots=True)
class Asked:
    """A write-off as a till asks for it."""

    request_no: str
    voucher: str
    bill_fen: int | None
    used_at: datetime | None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Redeemed:
    id: HotId
    request_no: str
    voucher_type: str
    applied_fen: int
    payable_fen: int
    redeemed_at: datetime
    replayed: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What verifying tells: `reason` is the word of the refusal, None when it can be written off."""

    reason: str | None
    voucher_type: str | None
    kind: str | None
    applied_fen: int | None
    holder_masked: str | None
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """A write-off and its present state; `redemption` is None for one that was blocked."""

    request_no: str
    status: str
    redemption: store.Found | None


@dataclass(slots=True, eq=False)
class _Waiting:
    """A request in a batcher.

    `tried`: this process sent it to the database before, so it may meet the nonce that it used itself.
    """

    terminal: SignedTerminal
    asked: Asked
    presented: Presented | None
    tried: bool = False


def written_off(
    terminal: SignedTerminal, asked: Asked, presented: Presented | None, *, word: str | None, again: bool
) -> store.WriteOff:
    """The item as the database takes it.

    Its fingerprint is what is written off and against which bill: the same voucher shown as code, as
    token or as the token after it is the same request.
    """
    shown: object = asked.voucher if presented is None else (presented.bucket, presented.code_hash.hex())
    told = [shown, asked.bill_fen] if asked.operator is None else [shown, asked.bill_fen, asked.operator]
    return store.WriteOff(
        key_id=terminal.id,
        nonce=terminal.header.nonce,
        again=again,
        caller=terminal.caller,
        request_no=asked.request_no,
        fingerprint=fingerprint(told),
        bucket=None if presented is None else presented.bucket,
        code_hash=None if presented is None else presented.code_hash,
        token_expired=presented is not None and presented.expired,
        bill_fen=asked.bill_fen,
        used_at=storable(asked.used_at),
        word=word,
        operator=asked.operator,
    )


class WriteOffs:
    """Requests wait in batchers of this process: one database call serves many tills."""

    def __init__(self, kit: Kit, lockouts: Lockouts) -> None:
        self._kit = kit
        self._lockouts = lockouts
        # Two requests with one number must not meet in one call: the later one is the next's replay.
        self._redeems: Batcher[_Waiting, Redeemed | Refusal] = Batcher(
            self._redeem_all, apart=lambda item: (item.terminal.id, item.asked.request_no), tills=True
        )
        self._looks: Batcher[_Waiting, Seen | Refusal] = Batcher(self._look_at_all, tills=True)

    async def drain(self) -> None:
        """Answers everything that was asked; for the shutdown."""
        await self._redeems.drain()
        await self._looks.drain()

    async def redeem(self, terminal: SignedTerminal, asked: Asked) -> Redeemed:
        """Writes a voucher off, once for its request number.

        Raises:
            InvalidRequest: a general voucher without a bill, or a time of use in the future.
            TooManyWrongCodes: the terminal is locked.
            Replayed, RequestNoReused, ReversedBeforeArrival, TooLate, and those of api.md in their order:
            VoucherNotFound, InstitutionNotEligible (then OperatorRequired, OperatorUnknown), TerminalPaused,
            InstitutionPaused, VoucherRevoked, AlreadyRedeemed, NotYetValid, VoucherExpired, TokenExpired.
        """
        self._lockouts.require_open(terminal)
        if time_fault(asked.used_at, self._kit.clock.now()) == IN_FUTURE:
            raise InvalidRequest(faults=(Fault("body.used_at", "lies in the future", IN_FUTURE),))
        result = await self._redeems.submit(_LANE, _Waiting(terminal, asked, self.presented(asked.voucher)))
        if isinstance(result, VoucherNotFound):
            await self._lockouts.refuse_miss(terminal)
        if isinstance(result, Refusal):
            raise result
        return result

    async def verify(self, terminal: SignedTerminal, voucher: str, bill_fen: int | None) -> Seen:
        """Whether and for how much it could be written off now. Uses the nonce up, nothing else.

        Raises:
            Replayed, BadSignature, TooManyWrongCodes.
        """
        self._lockouts.require_open(terminal)
        asked = Asked(request_no="", voucher=voucher, bill_fen=bill_fen, used_at=None)
        result = await self._looks.submit(_LANE, _Waiting(terminal, asked, self.presented(voucher)))
        if isinstance(result, Refusal):
            raise result
        if result.reason == VoucherNotFound.code:
            await self._lockouts.refuse_miss(terminal)
        return result

    async def status_of(self, terminal: SignedTerminal, request_no: str) -> Status:
        """What became of a request whose answer got lost.

        Raises:
            Replayed.
            RequestUnknown: it never arrived from this terminal, or it was refused.
        """
        async with self._kit.database.transaction() as tx:
            await use_nonce(tx, terminal.header, self._kit.clock.now())
            found = await store.find(tx, terminal.caller, request_no)
        if found is None:
            raise RequestUnknown
        blocked, redemption = found
        state = "blocked" if redemption is None or blocked else redemption.state
        return Status(request_no, state, redemption)

    def presented(self, voucher: str) -> Presented | None:
        """A code or token as the address of a voucher."""
        keys = self._kit.keys
        return resolve(voucher, index=keys.index, token_key=keys.token, now=self._kit.clock.now())

    @retried
    async def _redeem_all(self, _lane: Hashable, waiting: Sequence[_Waiting]) -> list[Redeemed | Refusal]:
        now = self._kit.clock.now()
        items = [
            written_off(
                item.terminal,
                item.asked,
                item.presented,
                word=time_fault(item.asked.used_at, now),
                again=item.tried,
            )
            for item in waiting
        ]
        for item in waiting:
            item.tried = True
        outcomes = await store.redeem(self._kit.database, items, now)
        return [_answer(item.asked, outcome) for item, outcome in zip(waiting, outcomes, strict=True)]

    @retried
    async def _look_at_all(self, _lane: Hashable, waiting: Sequence[_Waiting]) -> list[Seen | Refusal]:
        looks = [
            store.Look(
                key_id=item.terminal.id,
                nonce=item.terminal.header.nonce,
                again=item.tried,
                bucket=None if item.presented is None else item.presented.bucket,
                code_hash=None if item.presented is None else item.presented.code_hash,
                token_expired=item.presented is not None and item.presented.expired,
                bill_fen=item.asked.bill_fen,
            )
            for item in waiting
        ]
        for item in waiting:
            item.tried = True
        judged = await store.verify(self._kit.database, looks, self._kit.clock.now())
        return [_seen(item.asked, one) for item, one in zip(waiting, judged, strict=True)]


def redeemed_of(request_no: str, outcome: store.Outcome) -> Redeemed | None:
    """The write-off behind an outcome, None when there is none."""
    if outcome.word not in (_CREATED, _REPLAYED):
        return None
    values = (outcome.bucket, outcome.id, outcome.voucher_type, outcome.applied_fen, outcome.redeemed_at)
    invariant(None not in values, "an answered request without its redemption")
    assert outcome.bucket is not None  # noqa: S101 - narrows the types; the invariant above already refused
    assert outcome.id is not None  # noqa: S101 - the same
    assert outcome.redeemed_at is not None  # noqa: S101 - the same
    return Redeemed(
        id=HotId(outcome.bucket, outcome.id),
        request_no=request_no,
        voucher_type=outcome.voucher_type or "",
        applied_fen=outcome.applied_fen or 0,
        payable_fen=outcome.payable_fen or 0,
        redeemed_at=outcome.redeemed_at,
        replayed=outcome.word == _REPLAYED,
    )


def bill_wanted() -> InvalidRequest:
    """A general voucher pays a part of a bill."""
    fault = Fault("body.bill_fen", "a general voucher needs the bill's amount", _BILL_WANTED)
    return InvalidRequest(faults=(fault,))


def _answer(asked: Asked, outcome: store.Outcome) -> Redeemed | Refusal:
    redeemed = redeemed_of(asked.request_no, outcome)
    if redeemed is not None:
        return redeemed
    if outcome.word == _BILL_WANTED:
        return bill_wanted()
    if outcome.word == RequestNoReused.code:
        return RequestNoReused()
    return BY_WORD[outcome.word]()


def _seen(asked: Asked, judged: store.Judged) -> Seen | Refusal:
    if judged.word in ("replayed_nonce", "bad_signature"):
        return BY_WORD[judged.word]()
    if judged.voucher_type is None or judged.word in ("voucher_not_found", "institution_not_eligible"):
        return Seen(judged.word, None, None, None, None, None)
    kind, amount_fen = judged.kind or "", judged.amount_fen or 0
    redeemable = judged.word is None
    return Seen(
        reason=judged.word,
        voucher_type=judged.voucher_type,
        kind=kind,
        applied_fen=applied_fen(kind, amount_fen, asked.bill_fen) if redeemable else None,
        holder_masked=judged.holder_masked if redeemable else None,
        valid_until=judged.valid_until,
    )
