"""What settlements left out: which write-offs wait for a later run, and why."""

from dataclasses import dataclass, replace

from services.redemption.heldback import store
from services.redemption.heldback.store import Filters, Held, Position
from services.redemption.settlement.operations import visible_to
from shared.errors import Forbidden
from shared.identity.staff import Staff
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class HeldBack:
    kit: Kit

    async def page(
        self, staff: Staff, filters: Filters, *, limit: int, after: Position | None
    ) -> tuple[list[Held], int]:
        """Of the latest run first, one more than `limit` if there are more; and how many fit.

        Raises:
            Forbidden.
        """
        own = visible_to(staff)
        if own is not None and filters.institution_id not in (None, own):
            raise Forbidden
        chosen = replace(filters, institution_id=own or filters.institution_id)
        async with self.kit.database.snapshot() as tx:
            found = await store.page(tx, chosen, limit=limit + 1, after=after)
            return found, await store.count(tx, chosen)
