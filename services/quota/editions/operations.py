"""Frozen months: published in editions, never changed, corrected by a further edition only."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from services.quota.editions import store
from services.quota.editions.errors import EarlierMonthOpen
from services.quota.editions.rules import compared, first_open_month
from services.quota.editions.schemas import Comparison, Difference, EditionItem, EditionLine, Editions, Freeze
from services.quota.programmes.operations import require_programme
from services.quota.programmes.store import Programme, lock_programme
from services.quota.progress.rules import first_day_of
from services.quota.progress.store import first_day
from services.quota.rankings.operations import first_day_of_month, live_ranking
from services.quota.rankings.rules import Ranked
from services.quota.rankings.store import Edition, edition, editions, items
from shared.approvals import Applier, Change, propose
from shared.clock import local_day, rfc3339
from shared.db import Tx
from shared.errors import Fault, InvalidRequest, NoLongerFits, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import new_id
from shared.kit import Kit
from shared.rankings import MonthNotOver, month_of

FREEZE = "ranking_freeze"


@dataclass(frozen=True, slots=True)
class RankingEditions:
    kit: Kit
    service: str

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {FREEZE: self._apply}

    async def propose_freeze(self, staff: Staff, slug: str, freeze: Freeze, key: RequestKey | None) -> Answer:
        """Raises NotFound, NoAllocation, MonthNotOver, EarlierMonthOpen, InvalidRequest (no reason)."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                programme = await require_programme(tx, slug)
                first = first_day_of_month(freeze.month)
                today = local_day(now, programme.timezone)
                if month_of(first)[1] >= today:
                    raise MonthNotOver
                await _require_order(tx, programme, first)
                before = await edition(tx, programme.id, first)
                if before is not None and freeze.reason is None:
                    fault = Fault("body.reason", "该月已冻结，更正须说明理由", "reason_required")
                    raise InvalidRequest(faults=(fault,))
                live = await live_ranking(tx, programme, first, today)
                return await propose(
                    tx,
                    staff,
                    service=self.service,
                    kind=FREEZE,
                    target=slug,
                    body={
                        "month": freeze.month,
                        "reason": freeze.reason,
                        "edition": before.edition + 1 if before else 1,
                        "allocation_version": live.allocation.version,
                        "flagged": [entry.standing.hospital for entry in live.ranked if entry.place.flagged],
                    },
                    before={"edition": before.edition} if before else {},
                    reason=freeze.reason,
                    now=now,
                )

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _apply(self, tx: Tx, change: Change) -> None:
        """Freezes the figures as they are at this instant: no batch is being counted meanwhile.

        Raises:
            NoLongerFits: another edition came first, or the quotas changed since the proposal.
            EarlierMonthOpen: cards came since for a month before it.
        """
        now = self.kit.clock.now()
        programme = await lock_programme(tx, change.target)
        if programme is None:
            raise NotFound
        first = first_day_of_month(change.body["month"])
        before = await edition(tx, programme.id, first)
        if change.body["edition"] != (before.edition + 1 if before else 1):
            raise NoLongerFits("该月已有新的版次，请重新提交。")
        await _require_order(tx, programme, first)
        live = await live_ranking(tx, programme, first, local_day(now, programme.timezone))
        if live.allocation.version != change.body["allocation_version"]:
            raise NoLongerFits("提交后任务分配已变化，请重新提交。")
        header = {
            "id": new_id(),
            "programme_id": programme.id,
            "month": first,
            "edition": change.body["edition"],
            "reason": change.body["reason"],
            "allocation_id": live.allocation.id,
            "unattributed": live.unattributed,
            "change_id": change.id,
            "frozen_at": now,
        }
        await store.insert_edition(tx, header, live.ranked)
        last = month_of(first)[1]
        if programme.frozen_through is None or programme.frozen_through < last:
            await store.freeze_through(tx, programme.id, last)

    async def editions(self, slug: str, month: str | None) -> Editions:
        """What was published, newest first; of one month, or of all. Raises NotFound, InvalidRequest."""
        first = None if month is None else first_day_of_month(month)
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            found = [_item(one, await items(tx, one.id)) for one in await editions(tx, programme.id, first)]
        return Editions(items=found)

    async def compare(self, slug: str, month: str, before: int, after: int) -> Comparison:
        """What a correction changed. Raises NotFound, InvalidRequest."""
        first = first_day_of_month(month)
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            one, other = (
                await edition(tx, programme.id, first, before),
                await edition(tx, programme.id, first, after),
            )
            if one is None or other is None:
                raise NotFound
            old, new = await items(tx, one.id), await items(tx, other.id)
        changed = compared(old, new)
        listed = {entry.standing.hospital_id for entry in (*old, *new)}
        return Comparison(
            month=month,
            before=_item(one, old),
            after=_item(other, new),
            differences=[
                Difference(
                    hospital_id=entry.hospital_id,
                    hospital=entry.hospital,
                    fields=list(entry.fields),
                    before=EditionLine(**asdict(entry.before)) if entry.before else None,
                    after=EditionLine(**asdict(entry.after)) if entry.after else None,
                )
                for entry in changed
            ],
            unchanged=len(listed) - len(changed),
        )


async def _require_order(tx: Tx, programme: Programme, first: date) -> None:
    """Raises EarlierMonthOpen: what came late would fall into a month that was passed over."""
    starts_on = first_day_of(programme.definition.get("issued_before", {}).get("as_of"), None)
    following = first_open_month(programme.frozen_through, await first_day(tx, programme.id), starts_on)
    if following is not None and first > following:
        raise EarlierMonthOpen(f"{following:%Y-%m}")


def _item(one: Edition, ranked: Sequence[Ranked]) -> EditionItem:
    return EditionItem(
        month=f"{one.month:%Y-%m}",
        edition=one.edition,
        reason=one.reason,
        frozen_at=rfc3339(one.frozen_at),
        allocation_version=one.allocation_version,
        hospitals=len(ranked),
        quota=sum(entry.standing.quota for entry in ranked),
        issued=sum(entry.standing.issued for entry in ranked),
        month_issued=sum(entry.standing.month_issued for entry in ranked),
        unattributed=one.unattributed,
        flagged=[entry.standing.hospital for entry in ranked if entry.place.flagged],
    )
