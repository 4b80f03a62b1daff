"""The demonstration's clock: what it shows, and moving it forward."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.audit import AuditEntry, record
from shared.clock import OffsetClock, rfc3339
from shared.clock.operations import move_forward
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class DemoClock:
    kit: Kit

    def now(self) -> datetime:
        return self.kit.clock.now()

    async def move(self, staff: Staff, moment: datetime, key: RequestKey | None) -> Answer:
        """Every process follows within a second, this one at once.

        Raises:
            ClockBackwards, RequestNoReused.
        """
        now = self.kit.clock.now()
        offset: timedelta | None = None

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, str]:
                nonlocal offset
                offset = await move_forward(tx, moment, now=now)
                before, after = {"now": rfc3339(now)}, {"now": rfc3339(moment)}
                await record(tx, AuditEntry(staff.actor, "clock.move", "clock", before, after), at=now)
                return after

            answer = await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)
        if isinstance(self.kit.clock, OffsetClock) and offset is not None:
            self.kit.clock.offset = offset
        return answer
