"""Versions of the quotas: shown, listed, compared, and handed out as workbooks."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from services.quota.allocation import store
from services.quota.allocation.errors import NoAllocation
from services.quota.allocation.rules import (
    Method,
    Quota,
    Unit,
)
from services.quota.allocation.schemas import (
    AllocationVersion,
    AllocationVersions,
    AllocationView,
    month_text,
)
from services.quota.allocation.store import Version
from services.quota.allocationsheets.rules import comparison_paper, version_paper
from services.quota.allocationviews.rules import Told, shown
from services.quota.hospitals.rules import WHOLE, Part
from services.quota.programmes.operations import require_programme
from services.quota.programmes.store import Programme
from services.quota.versions.rules import (
    Cause,
    Difference,
    Line,
    alliance_differences,
    hospital_differences,
)
from services.quota.versions.schemas import (
    AllocationComparison,
    ComparedAlliance,
    ComparedHospital,
    Why,
)
from shared.clock import local_day, rfc3339
from shared.computing import Computing
from shared.db import Tx
from shared.documents.workbooks import workbook
from shared.errors import NotFound
from shared.kit import Kit
from shared.rankings import month_of
from shared.rates import rate_text


@dataclass(frozen=True, slots=True)
class AllocationVersionsRead:
    """What is decided, for readers; nothing is written here."""

    kit: Kit
    computing: Computing = field(default_factory=Computing)

    async def versions(self, slug: str) -> AllocationVersions:
        """Newest first. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            found = await store.versions(tx, programme.id)
            now = await store.in_force(tx, programme.id, self._this_month(programme))
        return AllocationVersions(items=[_listed(entry, now) for entry in found])

    async def current(self, slug: str, part: Part) -> AllocationView:
        """Raises NotFound, NoAllocation."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            version = await store.in_force(tx, programme.id, self._this_month(programme))
            if version is None:
                raise NoAllocation
            told = await _told(tx, version)
        return await asyncio.to_thread(shown, told, part)

    async def version(self, slug: str, number: int, part: Part = WHOLE) -> AllocationView:
        """Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            told = await _told(tx, await _require(tx, programme, number))
        return await asyncio.to_thread(shown, told, part)

    async def compare(self, slug: str, *, earlier: int, later: int) -> AllocationComparison:
        """Raises NotFound, Busy."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            before = await _require(tx, programme, earlier)
            after = await _require(tx, programme, later)
            told = (await _told(tx, before), await _told(tx, after))
            now = await store.in_force(tx, programme.id, self._this_month(programme))
        return await self.computing.run(_compared, _listed(before, now), _listed(after, now), *told)

    async def version_workbook(self, slug: str, number: int) -> bytes:
        """Raises NotFound, Busy."""
        view = await self.version(slug, number)
        paper = version_paper(view, title=await self._title(slug), demo=self.kit.settings.demo)
        return await self.computing.run(workbook, [paper])

    async def comparison_workbook(self, slug: str, *, earlier: int, later: int) -> bytes:
        """Raises NotFound, Busy."""
        compared = await self.compare(slug, earlier=earlier, later=later)
        paper = comparison_paper(compared, title=await self._title(slug), demo=self.kit.settings.demo)
        return await self.computing.run(workbook, [paper])

    async def _title(self, slug: str) -> str:
        async with self.kit.database.snapshot() as tx:
            return (await require_programme(tx, slug)).title

    def _this_month(self, programme: Programme) -> date:
        return month_of(local_day(self.kit.clock.now(), programme.timezone))[0]


async def _require(tx: Tx, programme: Programme, number: int) -> Version:
    """Raises NotFound."""
    version = await store.version(tx, programme.id, number)
    if version is None:
        raise NotFound
    return version


async def _told(tx: Tx, version: Version) -> Told:
    scale: Fraction | None = None
    if version.scale_numerator is not None and version.scale_denominator is not None:
        scale = Fraction(int(version.scale_numerator), int(version.scale_denominator))
    return Told(
        number=version.version,
        total=version.total,
        method=_method(version.method),
        basis=version.basis,
        effective_month=version.effective_month,
        scale=scale,
        reason=version.reason,
        applied_at=rfc3339(version.applied_at),
        quotas=[
            Quota(
                Unit(item.hospital_id, item.hospital, item.alliance, item.visits, item.basis_value),
                item.adjustment_points,
                item.adjustment_cards,
                item.quota,
            )
            for item in await store.items(tx, version.id)
        ],
        adjustments=await store.adjustments(tx, version.id),
        bounds=await store.bounds(tx, version.id),
    )


def _listed(version: Version, now: Version | None) -> AllocationVersion:
    return AllocationVersion(
        version=version.version,
        total=version.total,
        method=_method(version.method),
        basis=version.basis,
        effective_month=month_text(version.effective_month) if version.effective_month else None,
        sum=version.quota_sum,
        difference=version.quota_sum - version.total,
        reason=version.reason,
        applied_at=rfc3339(version.applied_at),
        in_force=now is not None and version.version == now.version,
    )


def _compared(
    from_: AllocationVersion, to: AllocationVersion, earlier: Told, later: Told
) -> AllocationComparison:
    before, after, totals = _lines(earlier), _lines(later), (earlier.total, later.total)
    return AllocationComparison(
        earlier=from_,
        later=to,
        items=[
            ComparedHospital(
                hospital_id=entry.key,
                hospital=entry.name,
                alliance=entry.alliance,
                before=entry.before,
                after=entry.after,
                difference=entry.cards,
                why=_why(entry.cause),
                reasons=list(entry.reasons),
            )
            for entry in hospital_differences(before, after, totals=totals)
        ],
        alliances=[_alliance(entry) for entry in alliance_differences(before, after, totals=totals)],
    )


def _alliance(entry: Difference) -> ComparedAlliance:
    return ComparedAlliance(
        alliance=entry.name,
        before=entry.before,
        after=entry.after,
        difference=entry.cards,
        why=_why(entry.cause),
    )


def _lines(told: Told) -> list[Line]:
    reasons = _reasons(told)
    return [
        Line(quota, part, tuple(reasons.get(quota.unit.hospital_id, ())))
        for quota, part in zip(told.quotas, told.parts, strict=True)
    ]


def _reasons(told: Told) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for move in told.adjustments:
        for hospital_id in (move.from_hospital_id, move.to_hospital_id):
            found.setdefault(hospital_id, []).append(move.reason)
    for bound in told.bounds:
        found.setdefault(bound.hospital_id, []).append(bound.reason)
    return found


def _why(cause: Cause) -> Why:
    return Why(
        total=rate_text(cause.total),
        basis=rate_text(cause.basis),
        adjustment=rate_text(cause.adjustment),
        bounds=rate_text(cause.bounds),
        rounding=rate_text(cause.rounding),
    )


def _method(stored: str) -> Method:
    return "largest_remainder" if stored == "largest_remainder" else "round_each"
