"""What a proposed allocation comes to, of the hospitals and their figures as they are."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.quota.allocation.errors import MonthFrozen
from services.quota.allocation.rules import (
    VISITS,
    Adjustment,
    Allocated,
    HospitalBound,
    Move,
    Unit,
    alliance_sums,
    allocate,
)
from services.quota.allocation.schemas import AllocationProposal
from services.quota.apportionment.rules import Bound
from services.quota.bases.errors import BasisIncomplete
from services.quota.bases.store import figures, is_known
from services.quota.hospitalnames.rules import Names, near_text
from services.quota.hospitalnames.store import names_in_use
from services.quota.hospitals.store import HospitalDay, hospitals
from services.quota.programmes.errors import NoHospitals
from services.quota.programmes.store import Programme
from shared.db import Tx
from shared.errors import Fault, InvalidRequest
from shared.rankings import month_of

_NAMED_MAX = 10


@dataclass(frozen=True, slots=True)
class Computed:
    """`units` are what it was computed from."""

    units: Sequence[Unit]
    allocated: Allocated
    adjustments: Sequence[Adjustment]
    bounds: Sequence[HospitalBound]

    @property
    def sum(self) -> int:
        return sum(quota.quota for quota in self.allocated.quotas)

    @property
    def alliances(self) -> dict[str, int]:
        return alliance_sums((quota.unit.alliance, quota.quota) for quota in self.allocated.quotas)


@dataclass(frozen=True, slots=True)
class _Listed:
    """Who gets a quota, and whom a proposal may mean by a name: a merged hospital's is its successor's."""

    units: Sequence[Unit]
    names: Names
    places: Mapping[str, int]

    def find(self, name: str) -> int | None:
        if name in self.places:
            return self.places[name]
        hospital_id = self.names.find(name)
        return None if hospital_id is None else self.places.get(hospital_id)


async def computed_of(tx: Tx, programme: Programme, proposal: AllocationProposal, *, today: date) -> Computed:
    """What a proposal comes to, of the hospitals as they stand today, or at the end of its effective month.

    Raises:
        NoHospitals, NoVisits, QuotaNegative, BasisIncomplete, MonthFrozen.
        MinimumsAboveTotal, MaximumsBelowTotal.
        InvalidRequest: an unknown hospital or basis.
    """
    frozen = programme.frozen_through
    if proposal.effective_month and frozen and proposal.effective_month <= frozen:
        raise MonthFrozen(f"{frozen:%Y-%m}")
    day = month_of(proposal.effective_month)[1] if proposal.effective_month else today
    standing = await hospitals(tx, programme.id, day)
    values = await _values(tx, programme, proposal.basis)
    units = _units(standing, values)
    if not units:
        raise NoHospitals
    places = {unit.hospital_id: place for place, unit in enumerate(units)}
    named = {entry.id: places[entry.unit_id] for entry in standing if entry.unit_id in places}
    # A change that is approved names ids only: then nobody's names need to be looked at.
    by_name = any(reference not in named for reference in _references(proposal))
    names = await names_in_use(tx, programme.id) if by_name else Names(())
    listed = _Listed(units, names, named)
    return await asyncio.to_thread(_compute, listed, proposal)


def _references(proposal: AllocationProposal) -> list[str]:
    """Whom a proposal names, by id or name."""
    moved = [name for entry in proposal.adjustments for name in (entry.source, entry.target)]
    return [*moved, *(entry.hospital for entry in proposal.bounds)]


async def _values(tx: Tx, programme: Programme, basis: str) -> Mapping[str, Decimal] | None:
    """Figures by hospital id; None for the visits. Raises InvalidRequest."""
    if basis == VISITS:
        return None
    if not await is_known(tx, programme.id, basis):
        fault = Fault("body.basis", "没有这种分配依据，请先导入其数值", "basis_unknown")
        raise InvalidRequest(faults=(fault,))
    return await figures(tx, programme.id, basis)


def _units(standing: Sequence[HospitalDay], values: Mapping[str, Decimal] | None) -> list[Unit]:
    """Every open hospital with a line, and with the figures of those that merged into it.

    Raises:
        BasisIncomplete.
    """
    lines = [entry for entry in standing if entry.has_line and entry.state == "open"]
    if values is None:
        return [Unit(entry.id, entry.name, entry.alliance, entry.unit_visits) for entry in lines]
    missing = [entry.name for entry in lines if entry.id not in values]
    if missing:
        more = f"等 {len(missing)} 家" if len(missing) > _NAMED_MAX else ""
        raise BasisIncomplete("、".join(missing[:_NAMED_MAX]) + more)
    sums: dict[str, Decimal] = {}
    for entry in standing:
        sums[entry.unit_id] = sums.get(entry.unit_id, Decimal(0)) + values.get(entry.id, Decimal(0))
    return [Unit(entry.id, entry.name, entry.alliance, entry.unit_visits, sums[entry.id]) for entry in lines]


def _compute(listed: _Listed, proposal: AllocationProposal) -> Computed:
    """Raises InvalidRequest, NoVisits, QuotaNegative, MinimumsAboveTotal, MaximumsBelowTotal."""
    faults: list[Fault] = []
    moves, adjustments = _moves(listed, proposal, faults)
    bounds, held = _bounds(listed, proposal, faults)
    if faults:
        raise InvalidRequest(faults=tuple(faults))
    allocated = allocate(listed.units, moves, total=proposal.total, method=proposal.method, bounds=bounds)
    return Computed(listed.units, allocated, adjustments, held)


def _moves(
    listed: _Listed, proposal: AllocationProposal, faults: list[Fault]
) -> tuple[list[Move], list[Adjustment]]:
    """The proposal's adjustments by places, and by ids; what is wrong with them goes to `faults`."""
    moves: list[Move] = []
    adjustments: list[Adjustment] = []
    for number, entry in enumerate(proposal.adjustments):
        source, target = listed.find(entry.source), listed.find(entry.target)
        for field, name, place in (("from", entry.source, source), ("to", entry.target, target)):
            if place is None:
                faults.append(_unknown(listed, f"body.adjustments.{number}.{field}", name))
        if source is None or target is None:
            continue
        if source == target:
            loc = f"body.adjustments.{number}.to"
            faults.append(Fault(loc, "不能调整给同一家医院", "same_hospital"))
            continue
        moves.append(Move(source, target, entry.share_points, entry.cards))
        from_id, to_id = (listed.units[place].hospital_id for place in (source, target))
        adjustments.append(Adjustment(from_id, to_id, entry.share_points, entry.cards, entry.reason))
    return moves, adjustments


def _bounds(
    listed: _Listed, proposal: AllocationProposal, faults: list[Fault]
) -> tuple[dict[int, Bound], list[HospitalBound]]:
    """The proposal's bounds by place, and by id; what is wrong with them goes to `faults`."""
    bounds: dict[int, Bound] = {}
    held: list[HospitalBound] = []
    for number, entry in enumerate(proposal.bounds):
        loc = f"body.bounds.{number}.hospital"
        place = listed.find(entry.hospital)
        if place is None:
            faults.append(_unknown(listed, loc, entry.hospital))
        elif place in bounds:
            faults.append(Fault(loc, "同一家医院只能填写一次上下限", "bounded_twice"))
        else:
            bounds[place] = Bound(entry.minimum or 0, entry.maximum)
            hospital_id = listed.units[place].hospital_id
            held.append(HospitalBound(hospital_id, entry.minimum, entry.maximum, entry.reason))
    return bounds, held


def _unknown(listed: _Listed, loc: str, name: str) -> Fault:
    near = listed.names.near(name)
    offered = f"；名称相近的有：{near_text(near)}" if near else ""
    return Fault(loc, f"名单中没有这家医院{offered}", "hospital_unknown")
