"""Allocations: proposed by one, in force when another approves; older versions are kept."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.quota.allocation import store
from services.quota.allocation.rules import (
    alliance_sums,
    fingerprint_of,
)
from services.quota.allocation.schemas import AllocationProposal, AllocationView, month_text
from services.quota.allocation.store import Version
from services.quota.allocationviews.rules import Told, shown
from services.quota.hospitals.rules import Part
from services.quota.programmes.operations import require_programme
from services.quota.programmes.store import Programme, lock_programme
from services.quota.proposals.operations import Computed, computed_of
from shared.approvals import Applier, Change, propose
from shared.clock import local_day
from shared.db import Tx
from shared.errors import NoLongerFits, NotFound, Refusal
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import new_id
from shared.kit import Kit
from shared.rankings import month_of
from shared.rates import rate_text

ALLOCATE = "allocation"
# A county's hospitals are shown one by one to whoever approves; a longer list by alliances.
_SHOWN_TO_APPROVER = 200
_NAMED_MAX = 10


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
        """Raises what `computed_of` does, and NotFound, MonthFrozen."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                programme = await require_programme(tx, slug)
                computed = await computed_of(tx, programme, proposal, today=self._today(programme))
                from_ = proposal.effective_month or month_of(self._today(programme))[0]
                return await propose(
                    tx,
                    staff,
                    service=self.service,
                    kind=ALLOCATE,
                    target=slug,
                    body=_change_body(programme, proposal, computed),
                    before=await _before(tx, await store.in_force(tx, programme.id, from_)),
                    reason=proposal.reason,
                    now=now,
                )

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _apply(self, tx: Tx, change: Change) -> None:
        """Computes again from the hospitals as they are. Raises NoLongerFits when it comes to anything else.

        The programme's lock orders it with freezes and with other allocations.
        """
        programme = await lock_programme(tx, change.target)
        if programme is None:
            raise NotFound
        body = change.body
        try:
            proposal = _proposal_of(body)
            computed = await computed_of(tx, programme, proposal, today=self._today(programme))
        except Refusal as refusal:
            raise NoLongerFits(refusal.detail("zh")) from refusal
        if fingerprint_of(computed.units) != body["fingerprint"]:
            raise NoLongerFits("提交后医院名单、诊疗人次或分配依据已变化，请重新提交。")
        if computed.alliances != body["alliances"] or computed.sum != body["sum"]:
            raise NoLongerFits("提交后计算规则已更新，请重新提交。")
        scale = computed.allocated.scale
        header = {
            "id": new_id(),
            "programme_id": programme.id,
            "version": await store.last_number(tx, programme.id) + 1,
            "total": proposal.total,
            "method": proposal.method,
            "basis": proposal.basis,
            "effective_month": proposal.effective_month,
            "nested": proposal.method == "largest_remainder",
            "scale_numerator": None if scale is None else scale.numerator,
            "scale_denominator": None if scale is None else scale.denominator,
            "quota_sum": computed.sum,
            "reason": proposal.reason,
            "change_id": change.id,
            "applied_at": self.kit.clock.now(),
        }
        await store.insert_version(
            tx, header, computed.allocated.quotas, computed.adjustments, computed.bounds
        )

    async def preview(self, slug: str, proposal: AllocationProposal, part: Part) -> AllocationView:
        """What the proposal would come to; writes nothing. Raises as `propose`."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            computed = await computed_of(tx, programme, proposal, today=self._today(programme))
        told = Told(
            number=None,
            total=proposal.total,
            method=proposal.method,
            basis=proposal.basis,
            effective_month=proposal.effective_month,
            scale=computed.allocated.scale,
            reason=proposal.reason,
            applied_at=None,
            quotas=computed.allocated.quotas,
            adjustments=computed.adjustments,
            bounds=computed.bounds,
        )
        return await asyncio.to_thread(shown, told, part)

    def _today(self, programme: Programme) -> date:
        return local_day(self.kit.clock.now(), programme.timezone)


def _change_body(programme: Programme, proposal: AllocationProposal, computed: Computed) -> dict[str, Any]:
    """What the approver sees, by hospital ids: names may be rewritten until then."""
    names = {unit.hospital_id: unit.hospital for unit in computed.units}
    named = [entry.from_hospital_id for entry in computed.adjustments]
    named += [entry.to_hospital_id for entry in computed.adjustments]
    named += [entry.hospital_id for entry in computed.bounds]
    quotas = computed.allocated.quotas
    return {
        "total": proposal.total,
        "method": proposal.method,
        "basis": proposal.basis,
        "effective_month": month_text(proposal.effective_month) if proposal.effective_month else None,
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
        "bounds": [
            {
                "hospital": entry.hospital_id,
                "min": entry.minimum,
                "max": entry.maximum,
                "reason": entry.reason,
            }
            for entry in computed.bounds
        ],
        "reason": proposal.reason,
        "hospitals": {hospital_id: names[hospital_id] for hospital_id in named},
        "sum": computed.sum,
        "difference": computed.sum - proposal.total,
        "remaining_exact": max(0, programme.target_cards - programme.issued_before_cards),
        "allocation_total": programme.definition.get("allocation_total"),
        "alliances": computed.alliances,
        **_quotas_shown((entry.unit.hospital, entry.quota) for entry in quotas),
        "fingerprint": fingerprint_of(computed.units),
    }


def _proposal_of(body: Mapping[str, Any]) -> AllocationProposal:
    """What was proposed, from its change."""
    names = ("total", "method", "basis", "effective_month", "adjustments", "bounds", "reason")
    return AllocationProposal.model_validate({name: body[name] for name in names if name in body})


def _quotas_shown(quotas: Iterable[tuple[str, int]]) -> dict[str, dict[str, int]]:
    listed = dict(quotas)
    return {"quotas": listed} if len(listed) <= _SHOWN_TO_APPROVER else {}


async def _before(tx: Tx, current: Version | None) -> dict[str, Any]:
    if current is None:
        return {}
    items = await store.items(tx, current.id)
    return {
        "version": current.version,
        "total": current.total,
        "method": current.method,
        "basis": current.basis,
        "effective_month": month_text(current.effective_month) if current.effective_month else None,
        "sum": current.quota_sum,
        "alliances": alliance_sums((item.alliance, item.quota) for item in items),
        **_quotas_shown((item.hospital, item.quota) for item in items),
    }
