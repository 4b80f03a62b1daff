"""A version of the quotas as it is answered, stored or foreseen. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from services.quota.allocation.rules import (
    Adjustment,
    Exact,
    HospitalBound,
    Method,
    Quota,
    alliance_sums,
    cards,
    exact_parts,
    share_text,
)
from services.quota.allocation.schemas import (
    AdjustmentView,
    AllianceQuota,
    AllocationItem,
    AllocationView,
    BoundView,
    month_text,
)
from services.quota.apportionment.rules import Bound
from services.quota.hospitals.rules import WHOLE, Part, part_of
from services.quota.hospitals.schemas import cursor_at
from shared.rates import rate_text


@dataclass(frozen=True, slots=True)
class Told:
    """A version with all that belongs to it; without `number` and `applied_at` while it is foreseen."""

    number: int | None
    total: int
    method: Method
    basis: str
    effective_month: date | None
    scale: Fraction | None
    reason: str
    applied_at: str | None
    quotas: Sequence[Quota]
    adjustments: Sequence[Adjustment]
    bounds: Sequence[HospitalBound]

    @property
    def parts(self) -> list[Exact]:
        places = {quota.unit.hospital_id: place for place, quota in enumerate(self.quotas)}
        held = {places[entry.hospital_id]: Bound(entry.minimum or 0, entry.maximum) for entry in self.bounds}
        return exact_parts(self.quotas, total=self.total, bounds=held, scale=self.scale)


def shown(told: Told, part: Part = WHOLE) -> AllocationView:
    """A version as it is answered: its sums are of all hospitals, its items those of the part."""
    weights = sum(quota.unit.weight for quota in told.quotas)
    quota_sum = sum(quota.quota for quota in told.quotas)
    names = {quota.unit.hospital_id: quota.unit.hospital for quota in told.quotas}
    sums = alliance_sums((quota.unit.alliance, quota.quota) for quota in told.quotas)
    found = part_of(told.quotas, part, named=lambda quota: (quota.unit.hospital, quota.unit.alliance))
    parts = told.parts
    return AllocationView(
        version=told.number,
        total=told.total,
        method=told.method,
        basis=told.basis,
        effective_month=month_text(told.effective_month) if told.effective_month else None,
        sum=quota_sum,
        difference=quota_sum - told.total,
        reason=told.reason,
        applied_at=told.applied_at,
        items=[_item(told.quotas[place], parts[place], weights) for place in found.places],
        listed=found.total,
        next_cursor=cursor_at(found.following),
        alliances=[AllianceQuota(alliance=alliance, quota=quota) for alliance, quota in sums.items()],
        adjustments=[
            AdjustmentView(
                source=names[entry.from_hospital_id],
                target=names[entry.to_hospital_id],
                share_points=None if entry.share_points is None else rate_text(entry.share_points),
                cards=entry.cards,
                reason=entry.reason,
            )
            for entry in told.adjustments
        ],
        bounds=[
            BoundView(
                hospital=names[entry.hospital_id],
                minimum=entry.minimum,
                maximum=entry.maximum,
                reason=entry.reason,
            )
            for entry in told.bounds
        ],
    )


def _item(entry: Quota, part: Exact, weights: int) -> AllocationItem:
    return AllocationItem(
        hospital_id=entry.unit.hospital_id,
        hospital=entry.unit.hospital,
        alliance=entry.unit.alliance,
        visits=entry.unit.visits,
        basis_value=rate_text(entry.unit.figure),
        share=share_text(entry.unit.weight, weights),
        adjustment_points=rate_text(entry.points),
        adjustment_cards=entry.cards,
        bound_cards=rate_text(cards(part.bounded, part.denominator)),
        exact=rate_text(cards(part.quota, part.denominator)),
        quota=entry.quota,
    )
