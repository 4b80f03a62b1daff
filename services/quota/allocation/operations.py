"""Allocations: proposed by one, in force when another approves; older versions are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from services.quota.allocation import store
from services.quota.allocation.errors import NoAllocation
from services.quota.allocation.rules import (
    Method,
    Move,
    Quota,
    Unit,
    alliance_sums,
    allocate,
    basis_of,
    places_by_name,
    share_text,
)
from services.quota.allocation.schemas import (
    AdjustmentView,
    AllianceQuota,
    AllocationItem,
    AllocationProposal,
    AllocationVersion,
    AllocationVersions,
    AllocationView,
)
from services.quota.allocation.store import Adjustment, Item, Version
from services.quota.programmes.errors import NoHospitals
from services.quota.programmes.operations import require_programme
from services.quota.programmes.store import Programme, hospitals, lock_programme
from shared.approvals import Applier, Change, propose
from shared.clock import local_day, rfc3339
from shared.db import Tx
from shared.documents.sheets import normalise
from shared.errors import Fault, InvalidRequest, NoLongerFits, NotFound, Refusal
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import new_id
from shared.kit import Kit
from shared.rankings import month_of
from shared.rates import rate_text

ALLOCATE = "allocation"


@dataclass(frozen=True, slots=True)
class _Computed:
    units: Sequence[Unit]
    quotas: Sequence[Quota]
    adjustments: Sequence[Adjustment]

    @property
    def sum(self) -> int:
        return sum(quota.quota for quota in self.quotas)


@dataclass(frozen=True, slots=True)
class Allocations:
    kit: Kit
    service: str

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {ALLOCATE: self._apply}

    async def propose(
        self, staff: Staff, slug: str, proposal: AllocationProposal, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, NoHospitals, NoVisits, QuotaNegative, InvalidRequest (an unknown hospital)."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                programme = await require_programme(tx, slug)
                computed = _compute(await _units(tx, programme), proposal)
                current = await store.in_force(tx, programme.id, self._this_month(programme))
                return await propose(
                    tx,
                    staff,
                    service=self.service,
                    kind=ALLOCATE,
                    target=slug,
                    body=_change_body(proposal, computed),
                    before=await _before(tx, current),
                    reason=proposal.reason,
                    now=now,
                )

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _apply(self, tx: Tx, change: Change) -> None:
        """Computes again from the hospitals as they are. Raises NoLongerFits when that is another base."""
        programme = await lock_programme(tx, change.target)
        if programme is None:
            raise NotFound
        units = await _units(tx, programme)
        body = change.body
        if basis_of(units) != body["basis"]:
            raise NoLongerFits("提交后医院名单或诊疗人次已变化，请重新提交。")
        proposal = AllocationProposal.model_validate(
            {name: body[name] for name in ("total", "method", "adjustments", "reason")}
        )
        try:
            computed = _compute(units, proposal)
        except Refusal as refusal:
            raise NoLongerFits(refusal.detail("zh")) from refusal
        header = {
            "id": new_id(),
            "programme_id": programme.id,
            "version": await store.last_number(tx, programme.id) + 1,
            "total": proposal.total,
            "method": proposal.method,
            "quota_sum": computed.sum,
            "reason": proposal.reason,
            "change_id": change.id,
            "applied_at": self.kit.clock.now(),
        }
        await store.insert_version(tx, header, computed.quotas, computed.adjustments)

    async def preview(self, slug: str, proposal: AllocationProposal) -> AllocationView:
        """What the proposal would come to; writes nothing. Raises as `propose`."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            computed = _compute(await _units(tx, programme), proposal)
        return _view(
            [
                Item(
                    quota.unit.hospital_id,
                    quota.unit.hospital,
                    quota.unit.alliance,
                    quota.unit.visits,
                    quota.points,
                    quota.cards,
                    quota.quota,
                )
                for quota in computed.quotas
            ],
            computed.adjustments,
            total=proposal.total,
            method=proposal.method,
            reason=proposal.reason,
        )

    async def current(self, slug: str) -> AllocationView:
        """Raises NotFound, NoAllocation."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            version = await store.in_force(tx, programme.id, self._this_month(programme))
            if version is None:
                raise NoAllocation
            return await _stored_view(tx, version)

    async def version(self, slug: str, number: int) -> AllocationView:
        """Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            version = await store.version(tx, programme.id, number)
            if version is None:
                raise NotFound
            return await _stored_view(tx, version)

    async def versions(self, slug: str) -> AllocationVersions:
        """Newest first. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            found = await store.versions(tx, programme.id)
            now = await store.in_force(tx, programme.id, self._this_month(programme))
        return AllocationVersions(
            items=[
                AllocationVersion(
                    version=entry.version,
                    total=entry.total,
                    method=_method(entry.method),
                    sum=entry.quota_sum,
                    reason=entry.reason,
                    applied_at=rfc3339(entry.applied_at),
                    in_force=now is not None and entry.version == now.version,
                )
                for entry in found
            ]
        )

    def _this_month(self, programme: Programme) -> date:
        return month_of(local_day(self.kit.clock.now(), programme.timezone))[0]


async def _units(tx: Tx, programme: Programme) -> list[Unit]:
    """The hospitals in the order of their list. Raises NoHospitals."""
    found = await hospitals(tx, programme.id)
    if not found:
        raise NoHospitals
    return [Unit(entry.id, entry.name, entry.alliance, entry.visits) for entry in found]


def _compute(units: Sequence[Unit], proposal: AllocationProposal) -> _Computed:
    places = places_by_name(units)
    faults: list[Fault] = []
    moves: list[Move] = []
    adjustments: list[Adjustment] = []
    for number, entry in enumerate(proposal.adjustments):
        source, target = (places.get(normalise(name)) for name in (entry.source, entry.target))
        for field, place in (("from", source), ("to", target)):
            if place is None:
                loc = f"body.adjustments.{number}.{field}"
                faults.append(Fault(loc, "名单中没有这家医院", "hospital_unknown"))
        if source is None or target is None:
            continue
        if source == target:
            loc = f"body.adjustments.{number}.to"
            faults.append(Fault(loc, "不能调整给同一家医院", "same_hospital"))
            continue
        moves.append(Move(source, target, entry.share_points, entry.cards))
        adjustments.append(
            Adjustment(
                units[source].hospital_id,
                units[target].hospital_id,
                entry.share_points,
                entry.cards,
                entry.reason,
            )
        )
    if faults:
        raise InvalidRequest(faults=tuple(faults))
    quotas = allocate(units, moves, total=proposal.total, method=proposal.method)
    return _Computed(units, quotas, adjustments)


def _change_body(proposal: AllocationProposal, computed: _Computed) -> dict[str, Any]:
    """What the approver sees, by hospital ids: names may be rewritten until then."""
    names = {unit.hospital_id: unit.hospital for unit in computed.units}
    sums = alliance_sums((quota.unit.alliance, quota.quota) for quota in computed.quotas)
    return {
        "total": proposal.total,
        "method": proposal.method,
        "adjustments": [
            {
                "from": entry.from_hospital_id,
                "to": entry.to_hospital_id,
                **({"share_points": rate_text(entry.share_points)} if entry.share_points else {}),
                **({"cards": entry.cards} if entry.cards else {}),
                "reason": entry.reason,
            }
            for entry in computed.adjustments
        ],
        "reason": proposal.reason,
        "hospitals": {
            hospital_id: names[hospital_id]
            for entry in computed.adjustments
            for hospital_id in (entry.from_hospital_id, entry.to_hospital_id)
        },
        "sum": computed.sum,
        "difference": computed.sum - proposal.total,
        "alliances": sums,
        "basis": basis_of(computed.units),
    }


async def _before(tx: Tx, current: Version | None) -> dict[str, Any]:
    if current is None:
        return {}
    items = await store.items(tx, current.id)
    return {
        "version": current.version,
        "total": current.total,
        "method": current.method,
        "sum": current.quota_sum,
        "alliances": alliance_sums((item.alliance, item.quota) for item in items),
    }


async def _stored_view(tx: Tx, version: Version) -> AllocationView:
    return _view(
        await store.items(tx, version.id),
        await store.adjustments(tx, version.id),
        total=version.total,
        method=_method(version.method),
        reason=version.reason,
        version=version.version,
        applied_at=version.applied_at,
    )


def _view(
    items: Sequence[Item],
    adjustments: Sequence[Adjustment],
    *,
    total: int,
    method: Method,
    reason: str,
    version: int | None = None,
    applied_at: datetime | None = None,
) -> AllocationView:
    visits = sum(item.visits for item in items)
    quota_sum = sum(item.quota for item in items)
    names = {item.hospital_id: item.hospital for item in items}
    sums = alliance_sums((item.alliance, item.quota) for item in items)
    return AllocationView(
        version=version,
        total=total,
        method=method,
        sum=quota_sum,
        difference=quota_sum - total,
        reason=reason,
        applied_at=rfc3339(applied_at) if applied_at else None,
        items=[
            AllocationItem(
                hospital_id=item.hospital_id,
                hospital=item.hospital,
                alliance=item.alliance,
                visits=item.visits,
                share=share_text(item.visits, visits),
                adjustment_points=rate_text(item.adjustment_points),
                adjustment_cards=item.adjustment_cards,
                quota=item.quota,
            )
            for item in items
        ],
        alliances=[AllianceQuota(alliance=alliance, quota=quota) for alliance, quota in sums.items()],
        adjustments=[
            AdjustmentView(
                source=names[entry.from_hospital_id],
                target=names[entry.to_hospital_id],
                share_points=_points_text(entry.share_points),
                cards=entry.cards,
                reason=entry.reason,
            )
            for entry in adjustments
        ],
    )


def _method(stored: str) -> Method:
    return "largest_remainder" if stored == "largest_remainder" else "round_each"


def _points_text(points: Decimal | None) -> str | None:
    return None if points is None else rate_text(points)
