"""The reversal: a till undoes a write-off, or blocks one whose answer it never got."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.redemption.reversals import store
from services.redemption.reversals.errors import AlreadyReversed, AlreadySettled, OriginalAmbiguous
from services.redemption.terminals.operations import SignedTerminal
from shared.batching import Batcher
from shared.db import retried
from shared.errors import Refusal, RequestNoReused, invariant
from shared.idempotency import fingerprint
from shared.ids import HotId
from shared.kit import Kit
from shared.signing import Replayed

_LANE = "tills"
_REFUSALS: dict[str, type[Refusal]] = {
    "replayed_nonce": Replayed,
    **{
        refusal.code: refusal
        for refusal in (AlreadyReversed, AlreadySettled, OriginalAmbiguous, RequestNoReused)
    },
}


@dataclass(frozen=True, slots=True)
class Asked:
    request_no: str
    original_request_no: str
    reason: str
    original_terminal_id: str | None = None


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
            self._reverse_all, apart=lambda item: item.terminal.institution_id
        )

    async def drain(self) -> None:
        await self._batcher.drain()

    async def reverse(self, terminal: SignedTerminal, asked: Asked) -> Reversed:
        """Undoes the original, or blocks its number for good when it was never seen.

        A paused terminal may reverse: that only gives money back.

        Raises:
            Replayed, RequestNoReused, AlreadyReversed, AlreadySettled, OriginalAmbiguous.
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
                fingerprint=fingerprint(
                    [item.asked.original_request_no, item.asked.original_terminal_id, item.asked.reason]
                ),
                original=item.asked.original_request_no,
                original_terminal=item.asked.original_terminal_id,
                reason=item.asked.reason,
            )
            for item in waiting
        ]
        for item in waiting:
            item.tried = True
        outcomes = await store.reverse(self._kit.database, items, self._kit.clock.now())
        return [_answer(outcome) for outcome in outcomes]


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
