"""The reversal: a till undoes a write-off, or blocks one whose answer it never got."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.redemption.operators.errors import OperatorUnknown
from services.redemption.reversals import store
from services.redemption.reversals.errors import (
    AlreadyReversed,
    AlreadySettled,
    NotReversible,
    OriginalAmbiguous,
    ResultReported,
    ReversalByStaffOnly,
    ReversalWindowOver,
)
from services.redemption.terminals.operations import SignedTerminal
from shared.approvals import Applier, Change, propose
from shared.batching import Batcher
from shared.db import Tx, retried
from shared.errors import NoLongerFits, NotFound, Refusal, RequestNoReused, invariant
from shared.idempotency import Answer, RequestKey, fingerprint, once
from shared.identity.staff import Staff
from shared.ids import HotId, parse_hot_id
from shared.kit import Kit
from shared.signing import Replayed

REVERSE = "redemption.reverse"

_LANE = "tills"
_REFUSALS: dict[str, type[Refusal]] = {
    "replayed_nonce": Replayed,
    **{
        refusal.code: refusal
        for refusal in (
            AlreadyReversed,
            AlreadySettled,
            NotReversible,
            OperatorUnknown,
            OriginalAmbiguous,
            RequestNoReused,
            ResultReported,
            ReversalByStaffOnly,
            ReversalWindowOver,
        )
    },
}


@dataclass(frozen=True, slots=True)
class Asked:
    request_no: str
    original_request_no: str
    reason: str
    original_terminal_id: str | None = None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Reversed:
    """`redemption` is None for an original that was never seen and is blocked now."""

    id: HotId
    status: str
    redemption: HotId | None
    at: datetime
    replayed: bool


@dataclass(slots=True, eq=False)
class _Waiting:
    terminal: SignedTerminal
    asked: Asked
    tried: bool = False


class Reversals:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        # Two reversals of one institution may mean the same original, or carry the same number.
        self._batcher: Batcher[_Waiting, Reversed | Refusal] = Batcher(
            self._reverse_all, apart=lambda item: item.terminal.institution_id, tills=True
        )

    async def drain(self) -> None:
        await self._batcher.drain()

    async def reverse(self, terminal: SignedTerminal, asked: Asked) -> Reversed:
        """Undoes the original, or blocks its number for good when it was never seen.

        A paused terminal may reverse: that only gives money back.

        Raises:
            Replayed, RequestNoReused, OperatorUnknown, OriginalAmbiguous, AlreadySettled, AlreadyReversed,
            NotReversible, ReversalByStaffOnly, ResultReported, ReversalWindowOver.
        """
        result = await self._batcher.submit(_LANE, _Waiting(terminal, asked))
        if isinstance(result, Refusal):
            raise result
        return result

    @retried
    async def _reverse_all(self, _lane: Hashable, waiting: Sequence[_Waiting]) -> list[Reversed | Refusal]:
        items = [
            store.Undo(
                key_id=item.terminal.id,
                nonce=item.terminal.header.nonce,
                again=item.tried,
                caller=item.terminal.caller,
                institution_id=item.terminal.institution_id,
                request_no=item.asked.request_no,
                fingerprint=_fingerprint(item.asked),
                original=item.asked.original_request_no,
                original_terminal=item.asked.original_terminal_id,
                reason=item.asked.reason,
                operator=item.asked.operator,
            )
            for item in waiting
        ]
        for item in waiting:
            item.tried = True
        outcomes = await store.reverse(self._kit.database, items, self._kit.clock.now())
        return [_answer(outcome) for outcome in outcomes]


def _fingerprint(asked: Asked) -> bytes:
    told = [asked.original_request_no, asked.original_terminal_id, asked.reason]
    return fingerprint(told if asked.operator is None else [*told, asked.operator])


async def propose_about(
    tx: Tx,
    staff: Staff,
    kind: str,
    address: HotId,
    found: store.Standing,
    *,
    told: Mapping[str, Any],
    before: Mapping[str, Any],
    reason: str,
    now: datetime,
) -> dict[str, Any]:
    """A change that takes a write-off back, whichever way; returns its 202 answer."""
    return await propose(
        tx,
        staff,
        service="redemption",
        kind=kind,
        target=f"redemption:{address}",
        body={
            "redemption_id": str(address),
            "institution_id": found.institution_id,
            "voucher_type": found.voucher_type,
            **told,
            "reason": reason,
        },
        before=dict(before),
        reason=reason,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class StaffReversals:
    """What no till may undo, two of staff can, as long as it is not settled: by a change."""

    kit: Kit

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {REVERSE: self._apply}

    async def propose(self, staff: Staff, address: HotId, reason: str, key: RequestKey | None) -> Answer:
        """Proposes to undo a write-off; the voucher can then be used again until it expires.

        Raises:
            NotFound, AlreadySettled, AlreadyReversed, NotReversible, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            found = await store.standing(tx, address)
            if found is None:
                raise NotFound
            refusal = _why_not(found)
            if refusal is not None:
                raise refusal
            told = {"original_request_no": found.request_no, "applied_fen": found.applied_fen}
            before = {"status": found.state}
            return await propose_about(
                tx, staff, REVERSE, address, found, told=told, before=before, reason=reason, now=now
            )

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _apply(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits: it was settled or undone meanwhile."""
        address = parse_hot_id(change.body["redemption_id"])
        undone = await store.undo(
            tx, address, reason=change.body["reason"], change_id=change.id, now=self.kit.clock.now()
        )
        if not undone:
            found = await store.standing(tx, address)
            refusal = None if found is None else _why_not(found)
            raise NoLongerFits((refusal or AlreadyReversed()).zh)


def _why_not(found: store.Standing) -> Refusal | None:
    """Why not even staff may undo it."""
    if found.settlement_id is not None:
        return AlreadySettled()
    if found.state == "reversed":
        return AlreadyReversed()
    return NotReversible() if found.reversal == "never" else None


def _answer(outcome: store.Undone) -> Reversed | Refusal:
    refusal = _REFUSALS.get(outcome.word)
    if refusal is not None:
        return refusal()
    invariant(outcome.id, "an answered reversal without its row")
    assert outcome.bucket is not None  # noqa: S101 - narrows the types; the invariant above already refused
    assert outcome.id is not None  # noqa: S101 - the same
    assert outcome.at is not None  # noqa: S101 - the same
    redemption = None if outcome.redemption_id is None else HotId(outcome.bucket, outcome.redemption_id)
    return Reversed(
        id=HotId(outcome.bucket, outcome.id),
        status=outcome.result or "",
        redemption=redemption,
        at=outcome.at,
        replayed=outcome.word == "replayed",
    )
