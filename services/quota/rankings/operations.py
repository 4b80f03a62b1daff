"""Rankings: live until somebody freezes the month; a frozen one is corrected by a further edition only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from services.quota.allocation import store as allocations
from services.quota.allocation.errors import NoAllocation
from services.quota.programmes.errors import NoHospitals
from services.quota.programmes.operations import own_hospital, require_programme
from services.quota.programmes.store import Programme, hospitals, lock_programme
from services.quota.progress.rules import Figures, rate
from services.quota.progress.store import figures
from services.quota.rankings import store
from services.quota.rankings.rules import Ranked, Standing, ranking, ranks
from services.quota.rankings.schemas import Freeze, RankingItem, RankingView
from shared.approvals import Applier, Change, propose
from shared.clock import local_day, rfc3339
from shared.db import Tx
from shared.errors import Fault, Forbidden, InvalidRequest, NoLongerFits, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import new_id
from shared.kit import Kit
from shared.rankings import MonthNotOver, month_of, parse_month
from shared.rates import rate_text

FREEZE = "ranking_freeze"


@dataclass(frozen=True, slots=True)
class _Live:
    """A month's ranking as the figures say now."""

    allocation: allocations.Version
    ranked: list[Ranked]
    unattributed: int


@dataclass(frozen=True, slots=True)
class Rankings:
    kit: Kit
    service: str

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {FREEZE: self._apply}

    async def ranking(self, staff: Staff, slug: str, month: str | None, edition: int | None) -> RankingView:
        """The latest edition of a frozen month (or the one asked for), else live figures.

        Raises:
            NotFound, NoAllocation, Forbidden, InvalidRequest: no such month.
        """
        async with self.kit.database.snapshot() as tx:
            view = await self.of_month(tx, await require_programme(tx, slug), month, edition)
        only = own_hospital(staff)
        if only is not None:
            view.items = [item for item in view.items if item.hospital_id == only]
            if not view.items:
                raise Forbidden
        return view

    async def of_month(
        self, tx: Tx, programme: Programme, month: str | None, edition: int | None
    ) -> RankingView:
        """All hospitals' lines: as published once the month is frozen, else live.

        Raises:
            NotFound, NoAllocation, InvalidRequest: no such month.
        """
        first = self._first_day(programme, month)
        found = await store.edition(tx, programme.id, first, edition)
        if found is not None:
            ranked = await store.items(tx, found.id)
            return _view(first, ranked, unattributed=found.unattributed, as_of=found.frozen_at, edition=found)
        if edition is not None:
            raise NotFound
        live = await _live(tx, programme, first)
        return _view(first, live.ranked, unattributed=live.unattributed, as_of=self.kit.clock.now())

    async def propose_freeze(self, staff: Staff, slug: str, freeze: Freeze, key: RequestKey | None) -> Answer:
        """Raises NotFound, NoAllocation, MonthNotOver, InvalidRequest (a correction without a reason)."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                programme = await require_programme(tx, slug)
                first = self._first_day(programme, freeze.month)
                if not self._is_over(programme, first):
                    raise MonthNotOver
                before = await store.edition(tx, programme.id, first)
                if before is not None and freeze.reason is None:
                    fault = Fault("body.reason", "该月已冻结，更正须说明理由", "reason_required")
                    raise InvalidRequest(faults=(fault,))
                live = await _live(tx, programme, first)
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
                        "flagged": [entry.standing.hospital for entry in live.ranked if entry.flagged],
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
        """
        programme = await lock_programme(tx, change.target)
        if programme is None:
            raise NotFound
        first = self._first_day(programme, change.body["month"])
        before = await store.edition(tx, programme.id, first)
        if change.body["edition"] != (before.edition + 1 if before else 1):
            raise NoLongerFits("该月已有新的版次，请重新提交。")
        live = await _live(tx, programme, first)
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
            "frozen_at": self.kit.clock.now(),
        }
        await store.insert_edition(tx, header, live.ranked)
        last = month_of(first)[1]
        if programme.frozen_through is None or programme.frozen_through < last:
            await store.freeze_through(tx, programme.id, last)

    def _first_day(self, programme: Programme, month: str | None) -> date:
        """Raises InvalidRequest."""
        if month is None:
            return month_of(local_day(self.kit.clock.now(), programme.timezone))[0]
        first = parse_month(month)
        if first is None or first.year < _FIRST_YEAR:
            raise InvalidRequest(faults=(Fault("month", "应为 YYYY-MM 形式的月份", "month_invalid"),))
        return first

    def _is_over(self, programme: Programme, first: date) -> bool:
        return month_of(first)[1] < local_day(self.kit.clock.now(), programme.timezone)


# Before it there is no month before to compare with that a date can hold everywhere.
_FIRST_YEAR = 1900


async def _live(tx: Tx, programme: Programme, first: date) -> _Live:
    """Raises NoAllocation, NoHospitals."""
    version = await allocations.in_force(tx, programme.id, first)
    if version is None:
        raise NoAllocation
    quotas = {item.hospital_id: item.quota for item in await allocations.items(tx, version.id)}
    listed = await hospitals(tx, programme.id)
    if not listed:
        raise NoHospitals
    month = month_of(first)
    found = await figures(tx, programme.id, month=month, through=month[1])

    def standings(of: Mapping[str, Figures]) -> list[Standing]:
        return [
            Standing(
                hospital_id=hospital.id,
                hospital=hospital.name,
                alliance=hospital.alliance,
                quota=quotas.get(hospital.id, 0),
                issued=of.get(hospital.id, _NONE).issued,
                month_issued=of.get(hospital.id, _NONE).month_issued,
            )
            for hospital in listed
        ]

    last_month = month_of(first - timedelta(days=1))
    published = await store.edition(tx, programme.id, last_month[0])
    if published is not None:
        last_ranks = {
            entry.standing.hospital_id: entry.rank
            for entry in await store.items(tx, published.id)
            if entry.rank is not None
        }
    else:
        before = await figures(tx, programme.id, month=last_month, through=last_month[1])
        # Before the first card all are equal: that is no ranking to compare with.
        counted = any(entry.issued for entry in before.values())
        last_ranks = ranks(standings(before)) if counted else {}
    return _Live(version, ranking(standings(found), last_ranks), found.get("", _NONE).issued)


_NONE = Figures()


def _view(
    first: date,
    ranked: list[Ranked],
    *,
    unattributed: int,
    as_of: datetime,
    edition: store.Edition | None = None,
) -> RankingView:
    return RankingView(
        month=f"{first:%Y-%m}",
        frozen=edition is not None,
        edition=edition.edition if edition else None,
        reason=edition.reason if edition else None,
        as_of=rfc3339(as_of),
        unattributed=unattributed,
        items=[_item(entry) for entry in ranked],
    )


def _item(entry: Ranked) -> RankingItem:
    standing = entry.standing
    done = rate(standing.issued, standing.quota)
    return RankingItem(
        rank=entry.rank,
        hospital_id=standing.hospital_id,
        hospital=standing.hospital,
        alliance=standing.alliance,
        quota=standing.quota,
        month_issued=standing.month_issued,
        issued=standing.issued,
        rate=None if done is None else rate_text(done),
        rank_change=entry.rank_change,
        flagged=entry.flagged,
    )
