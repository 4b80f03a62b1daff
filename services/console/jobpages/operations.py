"""What waits in the queues of all services."""

from dataclasses import dataclass
from datetime import datetime

from services.console.jobpages.rules import QueueLine
from services.console.monitoring import store
from shared.clock import machine_now
from shared.jobs.kinds import Queue
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class Queues:
    lines: list[QueueLine]
    dead: dict[tuple[str, str], int]
    failing: list[str]
    machine_time: datetime
    platform_time: datetime


@dataclass(frozen=True, slots=True)
class QueueWatch:
    kit: Kit

    async def look(self) -> Queues:
        now, platform = machine_now(), self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            watch = await store.watch(tx, platform, machine_now=now)
        lines = [
            QueueLine(
                queue.value,
                _seconds(watch.due.get(queue), now),
                _seconds(watch.seen.get(queue), now),
                sum(count for (owner, _), count in watch.dead.items() if owner == queue),
            )
            for queue in Queue
        ]
        failing = sorted(name for name, fails in watch.failing.items() if fails)
        return Queues(lines, watch.dead, failing, now, platform)


def _seconds(since: datetime | None, now: datetime) -> int | None:
    return None if since is None else max(0, int((now - since).total_seconds()))
