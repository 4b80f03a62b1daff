"""Programmes: what a city must issue, made once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from services.quota.programmes import store
from services.quota.programmes.errors import ProgrammeExists
from services.quota.programmes.rules import end_fault, exact_target
from services.quota.programmes.schemas import (
    IssuedBeforeView,
    ProgrammeDefinition,
    ProgrammeEnd,
    ProgrammeView,
)
from services.quota.programmes.store import Programme
from shared.approvals import Applier, Change, propose
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.db import Tx
from shared.errors import Fault, InvalidRequest, NoLongerFits, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import READERS, Staff
from shared.ids import new_id
from shared.kit import Kit
from shared.rates import rate_text

END = "programme_end"


@dataclass(frozen=True, slots=True)
class Programmes:
    kit: Kit
    service: str

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {END: self._apply_end}

    async def create(self, staff: Staff, definition: ProgrammeDefinition, key: RequestKey | None) -> Answer:
        """Raises ProgrammeExists."""
        now = self.kit.clock.now()
        row = _row(definition, staff, now)

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                if not await store.insert_programme(tx, row):
                    raise ProgrammeExists
                entry = AuditEntry(
                    staff.actor,
                    "programme.create",
                    f"programme:{definition.slug}",
                    after=row["definition"],
                )
                await record(tx, entry, at=now)
                return _view(await require_programme(tx, definition.slug)).model_dump()

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def propose_end(
        self, staff: Staff, slug: str, body: ProgrammeEnd, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, InvalidRequest: no such end."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                programme = await require_programme(tx, slug)
                _check_end(programme, body.ends_on)
                return await propose(
                    tx,
                    staff,
                    service=self.service,
                    kind=END,
                    target=slug,
                    body={"ends_on": _day_text(body.ends_on), "reason": body.reason},
                    before={"ends_on": _day_text(programme.ends_on)},
                    reason=body.reason,
                    now=now,
                )

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _apply_end(self, tx: Tx, change: Change) -> None:
        """Raises NotFound, NoLongerFits: a month was frozen meanwhile."""
        programme = await store.lock_programme(tx, change.target)
        if programme is None:
            raise NotFound
        sent = change.body["ends_on"]
        ends_on = date.fromisoformat(sent) if sent else None
        try:
            _check_end(programme, ends_on)
        except InvalidRequest as refusal:
            raise NoLongerFits(refusal.faults[0].message) from refusal
        await store.set_end(tx, programme.id, ends_on)

    async def view(self, slug: str) -> ProgrammeView:
        """Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            return _view(await require_programme(tx, slug))

    async def page(self, staff: Staff, *, limit: int, after: str | None) -> list[ProgrammeView]:
        """Newest first, from behind that slug; one more than `limit` if there are more.

        A hospital's staff see the programme of their hospital.
        """
        only = own_hospital(staff)
        async with self.kit.database.snapshot() as tx:
            found = await store.programmes(tx, hospital_id=only)
        slugs = [programme.slug for programme in found]
        start = slugs.index(after) + 1 if after in slugs else 0
        return [_view(programme) for programme in found[start : start + limit + 1]]


async def require_programme(tx: Tx, slug: str) -> Programme:
    """Raises NotFound."""
    programme = await store.programme_by_slug(tx, slug)
    if programme is None:
        raise NotFound
    return programme


def own_hospital(staff: Staff) -> str | None:
    """The one hospital that this staff member may see; None for those who see all."""
    return None if staff.has(*READERS) else staff.hospital_id


def _check_end(programme: Programme, ends_on: date | None) -> None:
    """Raises InvalidRequest."""
    before = programme.definition.get("issued_before", {}).get("as_of")
    begins_after = date.fromisoformat(before) if before else None
    fault = end_fault(ends_on, frozen_through=programme.frozen_through, begins_after=begins_after)
    if fault:
        raise InvalidRequest(faults=(Fault("body.ends_on", fault, "end_invalid"),))


def _day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _row(definition: ProgrammeDefinition, staff: Staff, now: datetime) -> dict[str, Any]:
    before = definition.issued_before
    return {
        "id": new_id(),
        "slug": definition.slug,
        "title": definition.title,
        "timezone": definition.timezone,
        "target_cards": definition.target,
        "issued_before_cards": before.cards if before else 0,
        "landing_url": definition.landing_url,
        "ends_on": definition.ends_on,
        "definition": definition.model_dump(mode="json", exclude={"request_no"}, exclude_none=True),
        "created_by": staff.id,
        "created_at": now,
    }


def _view(programme: Programme) -> ProgrammeView:
    definition = programme.definition
    share, residents = definition.get("target_share_of_residents"), definition.get("residents")
    exact = exact_target(residents, Decimal(share)) if share and residents else None
    remaining = max(0, programme.target_cards - programme.issued_before_cards)
    decided = definition.get("allocation_total")
    return ProgrammeView(
        slug=programme.slug,
        title=programme.title,
        timezone=programme.timezone,
        target_cards=programme.target_cards,
        residents=residents,
        target_share_of_residents=share,
        target_exact=None if exact is None else rate_text(exact),
        target_difference=None if exact is None else rate_text(programme.target_cards - exact),
        target_as_decided=definition.get("target_as_decided", False),
        issued_before=IssuedBeforeView(
            as_of=definition.get("issued_before", {}).get("as_of"), cards=programme.issued_before_cards
        ),
        remaining_exact=remaining,
        allocation_total=decided,
        allocation_difference=None if decided is None else decided - remaining,
        landing_url=programme.landing_url,
        ends_on=programme.ends_on.isoformat() if programme.ends_on else None,
        slogan=definition.get("slogan"),
        frozen_through=programme.frozen_through.isoformat() if programme.frozen_through else None,
        created_at=rfc3339(programme.created_at),
    )
