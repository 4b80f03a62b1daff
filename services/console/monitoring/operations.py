"""What operators watch beside the figures of the programmes, for Prometheus."""

from dataclasses import dataclass
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from services.console.integrity.operations import IntegrityDesk
from services.console.monitoring import store
from shared.clock import machine_now
from shared.jobs.kinds import Queue
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class Monitoring:
    kit: Kit
    integrity: IntegrityDesk

    async def families(self) -> list[Metric]:
        now = machine_now()
        async with self.kit.database.snapshot() as tx:
            watch = await store.watch(tx, self.kit.clock.now(), machine_now=now)
        dead = GaugeMetricFamily(
            "hv_outbox_dead", "Outbox rows that failed too often and wait for staff", labels=("queue", "kind")
        )
        for (queue, kind), count in sorted(watch.dead.items()):
            dead.add_metric((queue, kind), count)
        seen = GaugeMetricFamily(
            "hv_worker_seen_seconds", "Time since a service's workers were last alive", labels=("queue",)
        )
        for queue, seen_at in sorted(watch.seen.items()):
            seen.add_metric((queue,), max(0.0, (now - seen_at).total_seconds()))
        failing = GaugeMetricFamily(
            "hv_periodic_failing", "Periodic work whose last run failed", labels=("job",)
        )
        for name, is_failing in sorted(watch.failing.items()):
            failing.add_metric((name,), int(is_failing))
        sessions = GaugeMetricFamily(
            "hv_staff_sessions", "Staff sessions that are live", value=watch.sessions
        )
        waiting = _waiting(watch, now)
        return [dead, *waiting, seen, failing, sessions, *await self._integrity()]

    async def _integrity(self) -> list[Metric]:
        """Nothing before the first report."""
        kept = await self.integrity.kept()
        if kept is None:
            return []
        broken = GaugeMetricFamily("hv_integrity_broken", "Invariants that did not hold", labels=("check",))
        for check in kept.report.checks:
            broken.add_metric((check.name,), int(not check.ok))
        age = GaugeMetricFamily(
            "hv_integrity_age_seconds",
            "Time since the invariants were recomputed",
            value=max(0.0, (machine_now() - kept.finished_at).total_seconds()),
        )
        return [broken, age]


def _waiting(watch: store.Watch, now: datetime) -> list[Metric]:
    overdue = GaugeMetricFamily(
        "hv_outbox_overdue_seconds",
        "How long the outbox row that is due longest has waited to be taken up",
        labels=("queue",),
    )
    for queue in Queue:
        since = watch.due.get(queue, now)
        overdue.add_metric((queue,), max(0.0, (now - since).total_seconds()))
    failed = GaugeMetricFamily(
        "hv_jobs_failed", "Jobs asked for by staff that failed within the last day", labels=("kind",)
    )
    for kind, count in sorted(watch.failed_jobs.items()):
        failed.add_metric((kind,), count)
    return [overdue, failed]
