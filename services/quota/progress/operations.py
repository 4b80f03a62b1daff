"""Progress: what was counted against the quotas, for staff, dashboards and Prometheus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from services.quota.allocation import store as allocations
from services.quota.programmes.operations import own_hospital, require_programme
from services.quota.programmes.store import Hospital, Programme, hospitals, programmes
from services.quota.progress import store
from services.quota.progress.rules import (
    PACE_DAYS,
    Figures,
    forecast_date,
    needed_per_day,
    pace_days,
    rate,
)
from services.quota.progress.schemas import (
    DailyFigures,
    HospitalFigures,
    ProgressAlliance,
    ProgressItem,
    ProgressView,
    QuotaMetrics,
)
from shared.clock import local_day, rfc3339
from shared.db import Tx
from shared.errors import Forbidden
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.rankings import month_of
from shared.rates import rate_text

_NONE = Figures()


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What one look at the database says about a programme."""

    programme: Programme
    today: date
    hospitals: Sequence[Hospital]
    version: int | None
    quotas: Mapping[str, int]
    figures: Mapping[str, Figures]
    pace_days: int

    @property
    def issued(self) -> int:
        return sum(entry.issued for entry in self.figures.values())

    @property
    def unattributed(self) -> int:
        return self.figures.get("", _NONE).issued

    @property
    def used(self) -> int:
        return sum(entry.used for entry in self.figures.values())


@dataclass(frozen=True, slots=True)
class Progress:
    kit: Kit

    async def progress(self, staff: Staff, slug: str) -> ProgressView:
        """The programme's totals, every hospital, every alliance; a hospital gets its own row.

        Raises:
            NotFound, Forbidden.
        """
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            seen = await self._look(tx, await require_programme(tx, slug))
        only = own_hospital(staff)
        items = [_item(seen, hospital) for hospital in seen.hospitals if only in (None, hospital.id)]
        if only is not None and not items:
            raise Forbidden
        return ProgressView(
            as_of=rfc3339(now),
            programme=slug,
            target=seen.programme.target_cards,
            issued_before=seen.programme.issued_before_cards,
            issued=seen.issued,
            attributed=seen.issued - seen.unattributed,
            unattributed=seen.unattributed,
            used=seen.used,
            allocation_version=seen.version,
            items=items,
            alliances=_alliances(items) if only is None else [],
        )

    async def metrics(self, slug: str) -> QuotaMetrics:
        """Raises NotFound."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            seen = await self._look(tx, await require_programme(tx, slug))
            scans = await store.scans(tx, seen.programme.id)
            days = await store.daily(tx, seen.programme.id)
        return QuotaMetrics(
            as_of=rfc3339(now),
            programme=slug,
            target=seen.programme.target_cards,
            issued_before=seen.programme.issued_before_cards,
            issued=seen.issued,
            attributed=seen.issued - seen.unattributed,
            unattributed=seen.unattributed,
            used=seen.used,
            scans=sum(scans.values()),
            quota=sum(seen.quotas.values()) if seen.version is not None else None,
            by_hospital=[
                HospitalFigures(
                    hospital_id=hospital.id,
                    hospital=hospital.name,
                    alliance=hospital.alliance,
                    quota=seen.quotas.get(hospital.id),
                    issued=seen.figures.get(hospital.id, _NONE).issued,
                    used=seen.figures.get(hospital.id, _NONE).used,
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
        issued = CounterMetricFamily(
            "hv_cards_issued", "Cards counted, by hospital (empty: unattributed)", labels=_LABELS
        )
        quotas = GaugeMetricFamily("hv_card_quota", "Quota in force", labels=_LABELS)
        async with self.kit.database.snapshot() as tx:
            for programme in await programmes(tx):
                seen = await self._look(tx, programme)
                issued.add_metric([programme.slug, ""], seen.unattributed)
                for hospital in seen.hospitals:
                    labels = [programme.slug, hospital.name]
                    issued.add_metric(labels, seen.figures.get(hospital.id, _NONE).issued)
                    if hospital.id in seen.quotas:
                        quotas.add_metric(labels, seen.quotas[hospital.id])
        return [issued, quotas]

    async def _look(self, tx: Tx, programme: Programme) -> _Snapshot:
        today = local_day(self.kit.clock.now(), programme.timezone)
        version = await allocations.in_force(tx, programme.id, month_of(today)[0])
        items = await allocations.items(tx, version.id) if version else []
        return _Snapshot(
            programme=programme,
            today=today,
            hospitals=await hospitals(tx, programme.id),
            version=version.version if version else None,
            quotas={item.hospital_id: item.quota for item in items},
            figures=await store.figures(
                tx, programme.id, month=month_of(today), pace_after=today - timedelta(days=PACE_DAYS)
            ),
            pace_days=pace_days(await store.first_day(tx, programme.id), today),
        )


_LABELS = ("programme", "hospital")


def _item(seen: _Snapshot, hospital: Hospital) -> ProgressItem:
    found = seen.figures.get(hospital.id, _NONE)
    quota = seen.quotas.get(hospital.id)
    done = rate(found.issued, quota)
    forecast = forecast_date(
        quota,
        found.issued,
        pace_issued=found.pace_issued,
        pace_days=seen.pace_days,
        today=seen.today,
    )
    return ProgressItem(
        hospital_id=hospital.id,
        hospital=hospital.name,
        alliance=hospital.alliance,
        quota=quota,
        issued=found.issued,
        used=found.used,
        rate=None if done is None else rate_text(done),
        month_issued=found.month_issued,
        needed_per_day=needed_per_day(quota, found.issued, today=seen.today, ends_on=seen.programme.ends_on),
        forecast_date=forecast.isoformat() if forecast else None,
    )


def _alliances(items: Sequence[ProgressItem]) -> list[ProgressAlliance]:
    """In order of appearance; a hospital that stands alone is in none."""
    members: dict[str, list[ProgressItem]] = {}
    for item in items:
        if item.alliance:
            members.setdefault(item.alliance, []).append(item)
    rows = []
    for alliance, entries in members.items():
        quota, issued = sum(entry.quota or 0 for entry in entries), sum(entry.issued for entry in entries)
        done = rate(issued, quota)
        rows.append(
            ProgressAlliance(
                alliance=alliance,
                quota=quota,
                issued=issued,
                used=sum(entry.used for entry in entries),
                rate=None if done is None else rate_text(done),
                month_issued=sum(entry.month_issued for entry in entries),
            )
        )
    return rows
