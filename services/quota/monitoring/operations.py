"""Figures for dashboards and Prometheus: the same ones as the progress, so that they never disagree."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from services.quota.monitoring.rules import hospitals_work
from services.quota.monitoring.schemas import DailyFigures, HospitalFigures, QuotaMetrics
from services.quota.programmes.operations import require_programme
from services.quota.programmes.store import programmes
from services.quota.progress import store
from services.quota.progress.operations import look
from services.quota.stuffing.store import open_cases
from shared.clock import rfc3339
from shared.kit import Kit
from shared.metrics.looks import Looks

_LABELS = ("programme", "hospital")


@dataclass(frozen=True, slots=True)
class Monitoring:
    kit: Kit
    looks: Looks = field(default_factory=Looks)

    async def metrics(self, slug: str) -> QuotaMetrics:
        """Raises NotFound."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            seen = await look(tx, await require_programme(tx, slug), now)
            scans = await store.scans(tx, seen.programme.id, seen.today)
            days = await store.daily(tx, seen.programme.id)
            apart = await store.scans_apart(tx, seen.programme.id)
            undecided = await open_cases(tx, seen.programme.id)
        return QuotaMetrics(
            as_of=rfc3339(now),
            programme=slug,
            target=seen.programme.target_cards,
            issued_before=seen.programme.issued_before_cards,
            issued=seen.issued,
            attributed=seen.issued - seen.unattributed,
            unattributed=seen.unattributed,
            used=seen.used,
            effective=seen.effective,
            scans=sum(scans.values()),
            scan_repeats=apart.get("scan_repeat", 0),
            scan_bots=apart.get("scan_bot", 0),
            stuffing_cases_open=undecided,
            quota=sum(seen.quotas.values()) if seen.version is not None else None,
            by_hospital=[
                HospitalFigures(
                    hospital_id=hospital.id,
                    hospital=hospital.name,
                    alliance=hospital.alliance,
                    quota=seen.quotas.get(hospital.id),
                    issued=seen.figure(hospital.id).issued,
                    used=seen.figure(hospital.id).used,
                    effective=seen.figure(hospital.id).effective,
                    scans=scans.get(hospital.id, 0),
                )
                for hospital in seen.hospitals
            ],
            daily=[
                DailyFigures(
                    date=entry.day.isoformat(), issued=entry.issued, used=entry.used, scans=entry.scans
                )
                for entry in days
            ],
        )

    async def families(self) -> list[Metric]:
        """The totals for Prometheus. Cancelled cards are taken off, so that they agree with the progress."""
        now = self.kit.clock.now()
        issued = CounterMetricFamily(
            "hv_cards_issued", "Cards counted, by hospital (empty: unattributed)", labels=_LABELS
        )
        used = CounterMetricFamily(
            "hv_cards_used", "Counted cards that were used, by hospital (empty: unattributed)", labels=_LABELS
        )
        effective = GaugeMetricFamily(
            "hv_cards_effective", "Cards issued that no confirmed case of stuffing takes out", labels=_LABELS
        )
        cases = GaugeMetricFamily(
            "hv_stuffing_cases_open", "Cases that nobody decided", labels=("programme",)
        )
        scanned = CounterMetricFamily("hv_card_scans", "Scans of a hospital's codes", labels=_LABELS)
        quotas = GaugeMetricFamily("hv_card_quota", "Quota in force", labels=_LABELS)
        hours = GaugeMetricFamily(
            "hv_card_working_hours",
            "1: the programme runs, and hospitals are at work by its calendar",
            labels=("programme",),
        )
        async with self.kit.database.snapshot() as tx:
            for programme in await programmes(tx):
                seen = await look(tx, programme, now)
                scans = await store.scans(tx, programme.id, seen.today)
                cases.add_metric([programme.slug], await open_cases(tx, programme.id))
                local = now.astimezone(ZoneInfo(programme.timezone))
                works = seen.prospect.calendar.works(seen.today)
                at_work = works and hospitals_work(local, seen.starts_on, programme.ends_on)
                hours.add_metric([programme.slug], int(at_work))
                names = {"": "", **{hospital.id: hospital.name for hospital in seen.hospitals}}
                for hospital_id, name in names.items():
                    labels = [programme.slug, name]
                    issued.add_metric(labels, seen.figure(hospital_id).issued)
                    used.add_metric(labels, seen.figure(hospital_id).used)
                    effective.add_metric(labels, seen.figure(hospital_id).effective)
                    if hospital_id:
                        scanned.add_metric(labels, scans.get(hospital_id, 0))
                    if hospital_id in seen.quotas:
                        quotas.add_metric(labels, seen.quotas[hospital_id])
        return [issued, used, effective, scanned, quotas, cases, hours]
