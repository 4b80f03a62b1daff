"""What a terminal may know of itself and of what its institution accepts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.redemption.terminals.operations import SignedTerminal
from services.redemption.tillviews import store
from shared.kit import Kit
from shared.signing.store import use_nonce


@dataclass(frozen=True, slots=True)
class View:
    own: store.Own
    campaigns: Sequence[store.Campaign]
    types: Sequence[store.AcceptedType]
    at: datetime


@dataclass(frozen=True, slots=True)
class TillViews:
    kit: Kit

    async def of(self, terminal: SignedTerminal) -> View:
        """Raises Replayed."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            await use_nonce(tx, terminal.header, now)
            return View(
                await store.own(tx, terminal.id),
                await store.campaigns(tx, terminal.institution_id),
                await store.accepted_types(tx, terminal.institution_id),
                now,
            )
