"""Progress: what was counted against the quotas, and where that leads, by hospital and alliance."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from services.quota.allocation import store as allocations
from services.quota.hospitals.rules import WHOLE, Part, part_of
from services.quota.hospitals.schemas import cursor_at
from services.quota.hospitals.store import Hospital, by_line, hospitals, lines_of
from services.quota.outlook.operations import Prospect, prospect
from services.quota.outlook.rules import (
    Outlook,
    needed_per_working_day,
    share_passed,
    warned,
    widened,
    working_share_passed,
)
from services.quota.programmes.operations import own_hospital, require_programme
from services.quota.programmes.store import Programme
from services.quota.progress import store
from services.quota.progress.rules import (
    PACE_DAYS,
    Figures,
    forecast_date,
    lead,
    needed_per_day,
    pace_days,
    rate,
    sum_of,
)
from services.quota.progress.schemas import ProgressAlliance, ProgressItem, ProgressUnit, ProgressView, Warned
from shared.clock import local_day, rfc3339
from shared.db import Tx
from shared.errors import Forbidden
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.rankings import month_of
from shared.rates import rate_text

_NONE = Figures()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one look at the database says about a programme."""

    programme: Programme
    today: date
    hospitals: Sequence[Hospital]
    version: int | None
    quotas: Mapping[str, int]
    figures: Mapping[str, Figures]
    pace_days: int
    prospect: Prospect

    @property
    def issued(self) -> int:
        return sum(entry.issued for entry in self.figures.values())

    @property
    def unattributed(self) -> int:
        return self.figures.get("", _NONE).issued

    @property
    def used(self) -> int:
        return sum(entry.used for entry in self.figures.values())

    @property
    def effective(self) -> int:
        return sum(entry.effective for entry in self.figures.values())

    @property
    def starts_on(self) -> date | None:
        return self.prospect.starts_on

    def time_share(self) -> Decimal | None:
        if self.starts_on is None:
            return None
        return share_passed(self.starts_on, self.programme.ends_on, self.today)

    def working_time_share(self) -> Decimal | None:
        if self.starts_on is None:
            return None
        calendar = self.prospect.calendar
        return working_share_passed(calendar, self.starts_on, self.programme.ends_on, self.today)

    def figure(self, hospital_id: str) -> Figures:
        return self.figures.get(hospital_id, _NONE)

    def outlook(self, hospital_id: str, *, dated: bool = True) -> Outlook:
        quota, issued = self.quotas.get(hospital_id), self.figure(hospital_id).issued
        return self.prospect.of(hospital_id, quota, issued, dated=dated)


@dataclass(frozen=True, slots=True)
class _Line:
    """A hospital with what alliances add up."""

    hospital: Hospital
    quota: int
    figures: Figures
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class Progress:
    kit: Kit

    async def progress(self, staff: Staff, slug: str, part: Part = WHOLE) -> ProgressView:
        """The programme's totals and alliances, and the hospitals of the part; a hospital gets its own row.

        Raises:
            NotFound, Forbidden.
        """
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            seen = await look(tx, await require_programme(tx, slug), now)
        only = own_hospital(staff)
        shown = [hospital for hospital in seen.hospitals if only in (None, hospital.id)]
        if only is not None and not shown:
            raise Forbidden
        return await asyncio.to_thread(_view, seen, shown, part, now=now, whole=only is None)


async def look(tx: Tx, programme: Programme, now: datetime) -> Snapshot:
    today = local_day(now, programme.timezone)
    version = await allocations.in_force(tx, programme.id, month_of(today)[0])
    items = await allocations.items(tx, version.id) if version else []
    ahead = await prospect(tx, programme, today=today, through=today)
    standing = await hospitals(tx, programme.id, today)
    return Snapshot(
        programme=programme,
        today=today,
        hospitals=lines_of(standing),
        version=version.version if version else None,
        quotas=by_line(standing, {item.hospital_id: item.quota for item in items}),
        figures=await store.figures(
            tx,
            programme.id,
            as_of=today,
            month=month_of(today),
            pace_after=today - timedelta(days=PACE_DAYS),
        ),
        pace_days=pace_days(ahead.first, today),
        prospect=ahead,
    )


def _view(
    seen: Snapshot, standing: Sequence[Hospital], part: Part, *, now: datetime, whole: bool
) -> ProgressView:
    """`standing` are all that the reader may see; `whole`: they are all hospitals."""
    lines = [
        _Line(
            hospital,
            seen.quotas.get(hospital.id, 0),
            seen.figure(hospital.id),
            seen.outlook(hospital.id, dated=False),
        )
        for hospital in standing
    ]
    passed = seen.time_share()
    found = part_of(standing, part, named=lambda hospital: (hospital.name, hospital.alliance))
    outlooks = {standing[place].id: seen.outlook(standing[place].id) for place in found.places}
    items = [_item(seen, standing[place], outlooks[standing[place].id], passed) for place in found.places]
    short = _warned(lines)
    ends_on = seen.programme.ends_on
    dates = [outlook.late for outlook in outlooks.values() if outlook.late]
    calendar, since = seen.prospect.calendar, seen.starts_on or seen.today
    return ProgressView(
        as_of=rfc3339(now),
        programme=seen.programme.slug,
        target=seen.programme.target_cards,
        issued_before=seen.programme.issued_before_cards,
        issued=seen.issued,
        attributed=seen.issued - seen.unattributed,
        unattributed=seen.unattributed,
        used=seen.used,
        effective=seen.effective,
        allocation_version=seen.version,
        starts_on=seen.starts_on.isoformat() if seen.starts_on else None,
        ends_on=ends_on.isoformat() if ends_on else None,
        progress_share=_text(rate(seen.issued - seen.unattributed, sum(seen.quotas.values()))),
        time_share=_text(passed),
        working_time_share=_text(seen.working_time_share()),
        working_days_left=seen.prospect.ahead.working_left,
        years_by_weekday=calendar.unknown(since, max([seen.today, *dates, ends_on or seen.today])),
        items=items,
        listed=found.total,
        next_cursor=cursor_at(found.following),
        alliances=_alliances(seen, lines, passed) if whole else [],
        units=_units(lines) if whole else [],
        warnings=[_warning(line) for line in short[: part.limit]],
        warned=len(short),
    )


def _text(share: Decimal | None) -> str | None:
    return None if share is None else rate_text(share)


def _item(seen: Snapshot, hospital: Hospital, outlook: Outlook, passed: Decimal | None) -> ProgressItem:
    found, quota = seen.figure(hospital.id), seen.quotas.get(hospital.id)
    done = rate(found.issued, quota)
    forecast = forecast_date(
        quota, found.issued, pace_issued=found.pace_issued, pace_days=seen.pace_days, today=seen.today
    )
    early, late = widened(outlook.early, outlook.late, forecast)
    return ProgressItem(
        hospital_id=hospital.id,
        hospital=hospital.name,
        alliance=hospital.alliance,
        quota=quota,
        issued=found.issued,
        used=found.used,
        effective=found.effective,
        rate=_text(done),
        month_issued=found.month_issued,
        needed_per_day=needed_per_day(quota, found.issued, today=seen.today, ends_on=seen.programme.ends_on),
        needed_per_working_day=outlook.needed_per_working_day,
        pace_per_working_day=_text(outlook.pace_per_working_day),
        lead=_text(lead(done, passed)),
        forecast_date=forecast.isoformat() if forecast else None,
        forecast_early=early.isoformat() if early else None,
        forecast_late=late.isoformat() if late else None,
        expected=outlook.expected,
        miss_probability=_text(outlook.miss_probability),
    )


def _alliances(seen: Snapshot, lines: Sequence[_Line], passed: Decimal | None) -> list[ProgressAlliance]:
    """In order of appearance; a hospital that stands alone is in none."""
    members: dict[str, list[_Line]] = {}
    for line in lines:
        if line.hospital.alliance:
            members.setdefault(line.hospital.alliance, []).append(line)
    rows = []
    for alliance, entries in members.items():
        found = sum_of((entry.quota, entry.figures) for entry in entries)
        lacking = sum(max(0, entry.quota - entry.figures.issued) for entry in entries)
        expected = [entry.outlook.expected for entry in entries if entry.outlook.expected is not None]
        done = rate(found.issued, found.quota)
        rows.append(
            ProgressAlliance(
                alliance=alliance,
                quota=found.quota,
                issued=found.issued,
                used=found.used,
                effective=found.effective,
                rate=_text(done),
                month_issued=found.month_issued,
                needed_per_working_day=needed_per_working_day(lacking, 0, seen.prospect.ahead.working_left),
                lead=_text(lead(done, passed)),
                expected=sum(expected) if len(expected) == len(entries) else None,
            )
        )
    return rows


def _units(lines: Sequence[_Line]) -> list[ProgressUnit]:
    """The alliances, then each hospital that stands alone as a unit of its own."""
    members: dict[tuple[bool, str], list[_Line]] = {}
    for line in sorted(lines, key=lambda one: not one.hospital.alliance):
        alliance = line.hospital.alliance
        members.setdefault((not alliance, alliance or line.hospital.id), []).append(line)
    rows = []
    for (alone, name), entries in members.items():
        found, first = sum_of((entry.quota, entry.figures) for entry in entries), entries[0].hospital
        rows.append(
            ProgressUnit(
                unit=first.name if alone else name,
                hospital_id=first.id if alone else None,
                hospitals=len(entries),
                quota=found.quota,
                issued=found.issued,
                used=found.used,
                effective=found.effective,
                month_issued=found.month_issued,
                rate=_text(rate(found.issued, found.quota)),
            )
        )
    return rows


def _warned(lines: Sequence[_Line]) -> list[_Line]:
    """Who is likely to miss the quota, the surest first."""
    by_id = {line.hospital.id: line for line in lines}
    outlooks = {key: line.outlook for key, line in by_id.items()}
    short = {key: line.quota - (line.outlook.expected or 0) for key, line in by_id.items()}
    return [by_id[key] for key in warned(outlooks, short)]


def _warning(line: _Line) -> Warned:
    seen = line.outlook
    return Warned(
        hospital_id=line.hospital.id,
        hospital=line.hospital.name,
        alliance=line.hospital.alliance,
        quota=line.quota,
        issued=line.figures.issued,
        expected=seen.expected or 0,
        shortfall=line.quota - (seen.expected or 0),
        miss_probability=rate_text(seen.miss_probability or Decimal(0)),
        needed_per_working_day=seen.needed_per_working_day,
        pace_per_working_day=_text(seen.pace_per_working_day),
    )
