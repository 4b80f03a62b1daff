"""Rankings: live until somebody freezes the month, then as they were published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.quota.allocation import store as allocations
from services.quota.allocation.errors import NoAllocation
from services.quota.hospitals.rules import WHOLE, Part, part_of
from services.quota.hospitals.schemas import cursor_at
from services.quota.hospitals.store import by_line, hospitals, lines_of
from services.quota.levels.store import levels
from services.quota.outlook.operations import Prospect, prospect
from services.quota.programmes.errors import NoHospitals
from services.quota.programmes.operations import own_hospital, require_programme
from services.quota.programmes.store import Programme
from services.quota.progress.rules import Figures, rate
from services.quota.progress.store import figures
from services.quota.rankings import store
from services.quota.rankings.rules import (
    NO_LAST_RANKS,
    LastRanks,
    Place,
    Ranked,
    Standing,
    by_level,
    in_order,
    last_ranks,
    ranking,
)
from services.quota.rankings.schemas import LevelList, RankingItem, RankingView
from shared.clock import local_day, rfc3339
from shared.db import Tx
from shared.errors import Fault, Forbidden, InvalidRequest, NotFound
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.rankings import month_of, parse_month
from shared.rates import rate_text

# Before it there is no month before to compare with that a date can hold everywhere.
_FIRST_YEAR = 1900
_NONE = Figures()


@dataclass(frozen=True, slots=True)
class Live:
    """A month's ranking as the figures say now."""

    allocation: allocations.Version
    ranked: list[Ranked]
    unattributed: int


@dataclass(frozen=True, slots=True)
class Rankings:
    kit: Kit

    async def ranking(
        self,
        staff: Staff,
        slug: str,
        month: str | None,
        edition: int | None,
        *,
        with_levels: bool,
        part: Part,
    ) -> RankingView:
        """The latest edition of a frozen month (or the one asked for), else live figures; of it the part.

        Raises:
            NotFound, NoAllocation, Forbidden, InvalidRequest: no such month.
        """
        only = own_hospital(staff)
        asked = part if only is None else WHOLE
        async with self.kit.database.snapshot() as tx:
            view = await self.of_month(
                tx, await require_programme(tx, slug), month, edition, with_levels=with_levels, part=asked
            )
        if only is not None:
            view.items = [item for item in view.items if item.hospital_id == only]
            if not view.items:
                raise Forbidden
            view.listed, view.next_cursor = len(view.items), None
            for listed in view.levels or []:
                listed.items = [item for item in listed.items if item.hospital_id == only]
            view.levels = view.levels and [listed for listed in view.levels if listed.items]
        return view

    async def of_month(
        self,
        tx: Tx,
        programme: Programme,
        month: str | None,
        edition: int | None,
        *,
        with_levels: bool = False,
        part: Part = WHOLE,
    ) -> RankingView:
        """Hospitals' lines: as published once the month is frozen, else live.

        Raises:
            NotFound, NoAllocation, InvalidRequest: no such month.
        """
        now = self.kit.clock.now()
        today = local_day(now, programme.timezone)
        first = month_of(today)[0] if month is None else first_day_of_month(month)
        found = await store.edition(tx, programme.id, first, edition)
        if found is not None:
            ranked = await store.items(tx, found.id)
            view = _view(
                (found.month, found.allocation_version, found.frozen_at), ranked, part, found.unattributed
            )
            view.frozen, view.edition, view.reason = True, found.edition, found.reason
        elif edition is not None:
            raise NotFound
        else:
            live = await live_ranking(tx, programme, first, today)
            ranked = live.ranked
            view = _view((first, live.allocation.version, now), ranked, part, live.unattributed)
        if with_levels:
            view.levels = _levels(ranked)
        return view


def first_day_of_month(month: str) -> date:
    """Raises InvalidRequest."""
    first = parse_month(month)
    if first is None or first.year < _FIRST_YEAR:
        raise InvalidRequest(faults=(Fault("month", "应为 YYYY-MM 形式的月份", "month_invalid"),))
    return first


async def live_ranking(tx: Tx, programme: Programme, first: date, today: date) -> Live:
    """A month's figures as they are, with the outlook as of its end (or of today, before it ends).

    Raises:
        NoAllocation, NoHospitals.
    """
    version = await allocations.in_force(tx, programme.id, first)
    if version is None:
        raise NoAllocation
    last = month_of(first)[1]
    ahead = await prospect(
        tx, programme, today=min(last + timedelta(days=1), today), through=min(last, today)
    )
    as_of = min(last, today)
    found = await figures(tx, programme.id, as_of=as_of, month=(first, last), through=last)
    standings = await _standings(tx, programme, version, found, ahead, as_of=as_of)
    if not standings:
        raise NoHospitals
    before = await _last_month(tx, programme, month_of(first - timedelta(days=1)))
    return Live(version, ranking(standings, before), found.get("", _NONE).issued)


async def _last_month(tx: Tx, programme: Programme, month: tuple[date, date]) -> LastRanks:
    """Ranks as they were published; of a month that is not frozen, as they are by its own quotas."""
    published = await store.edition(tx, programme.id, month[0])
    if published is not None:
        entries = await store.items(tx, published.id)
        return LastRanks(
            {e.standing.hospital_id: e.place.rank for e in entries if e.place.rank is not None},
            {
                e.standing.hospital_id: (e.standing.level, e.in_level.rank)
                for e in entries
                if e.in_level.rank is not None
            },
        )
    version = await allocations.in_force(tx, programme.id, month[0])
    found = await figures(tx, programme.id, as_of=month[1], month=month, through=month[1])
    # Before the first card all are equal: that is no ranking to compare with.
    if version is None or not any(entry.issued for entry in found.values()):
        return NO_LAST_RANKS
    return last_ranks(await _standings(tx, programme, version, found, None, as_of=month[1]))


async def _standings(
    tx: Tx,
    programme: Programme,
    version: allocations.Version,
    found: Mapping[str, Figures],
    ahead: Prospect | None,
    *,
    as_of: date,
) -> list[Standing]:
    """In the order of the list of hospitals; with their outlook when there is one to look at."""
    standing = await hospitals(tx, programme.id, as_of)
    given = {item.hospital_id: item.quota for item in await allocations.items(tx, version.id)}
    quotas = by_line(standing, given)
    known = await levels(tx, programme.id)
    standings = []
    for hospital in lines_of(standing):
        counted, quota = found.get(hospital.id, _NONE), quotas.get(hospital.id)
        seen = ahead.of(hospital.id, quota, counted.issued, dated=False) if ahead else None
        standings.append(
            Standing(
                hospital_id=hospital.id,
                hospital=hospital.name,
                alliance=hospital.alliance,
                quota=quota or 0,
                issued=counted.issued,
                month_issued=counted.month_issued,
                level=known.get(hospital.id, ""),
                needed_per_working_day=seen.needed_per_working_day if seen else None,
                miss_probability=seen.miss_probability if seen else None,
            )
        )
    return standings


def _view(
    of: tuple[date, int, datetime], ranked: Sequence[Ranked], part: Part, unattributed: int
) -> RankingView:
    """`of` are the month, the version of the quotas and the moment; live until the caller says otherwise."""
    first, version, as_of = of
    found = part_of(ranked, part, named=lambda entry: (entry.standing.hospital, entry.standing.alliance))
    shown = [ranked[place] for place in found.places]
    return RankingView(
        month=f"{first:%Y-%m}",
        frozen=False,
        edition=None,
        reason=None,
        as_of=rfc3339(as_of),
        allocation_version=version,
        unattributed=unattributed,
        items=[_item(entry.standing, entry.place) for entry in shown],
        listed=found.total,
        next_cursor=cursor_at(found.following),
        alliances=sorted({entry.standing.alliance for entry in ranked} - {""}),
        levels=None,
    )


def _levels(ranked: Sequence[Ranked]) -> list[LevelList]:
    """The levels in the order of their best hospitals, those without one last."""
    places = {entry.standing.hospital_id: entry.in_level for entry in ranked}
    lists = by_level([entry.standing for entry in ranked])
    return [
        LevelList(
            level=level,
            items=[
                _item(standing, places[standing.hospital_id])
                for standing in sorted(listed, key=lambda one: in_order(places[one.hospital_id].rank))
            ],
        )
        for level, listed in sorted(lists.items(), key=lambda entry: not entry[0])
    ]


def _item(standing: Standing, place: Place) -> RankingItem:
    done, miss = rate(standing.issued, standing.quota), standing.miss_probability
    return RankingItem(
        rank=place.rank,
        hospital_id=standing.hospital_id,
        hospital=standing.hospital,
        alliance=standing.alliance,
        level=standing.level,
        quota=standing.quota,
        month_issued=standing.month_issued,
        issued=standing.issued,
        rate=None if done is None else rate_text(done),
        rank_change=place.rank_change,
        flagged=place.flagged,
        needed_per_working_day=standing.needed_per_working_day,
        miss_probability=None if miss is None else rate_text(miss),
    )
