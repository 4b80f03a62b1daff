"""Progress: what was counted against the quotas, and where that leads, by hospital and alliance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from services.quota.allocation import store as allocations
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

    def outlook(self, hospital_id: str) -> Outlook:
        return self.prospect.of(hospital_id, self.quotas.get(hospital_id), self.figure(hospital_id).issued)


@dataclass(frozen=True, slots=True)
class Progress:
    kit: Kit

    async def progress(self, staff: Staff, slug: str) -> ProgressView:
        """The programme's totals, every hospital, every alliance; a hospital gets its own row.

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
        return _view(seen, shown, now=now, whole=only is None)


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


def _view(seen: Snapshot, shown: Sequence[Hospital], *, now: datetime, whole: bool) -> ProgressView:
    """`whole`: for those who see all hospitals."""
    outlooks = {hospital.id: seen.outlook(hospital.id) for hospital in shown}
    passed = seen.time_share()
    items = [_item(seen, hospital, outlooks[hospital.id], passed) for hospital in shown]
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
        alliances=_alliances(seen, items, passed) if whole else [],
        units=_units(items) if whole else [],
        warnings=_warnings(seen, shown, outlooks),
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


def _alliances(
    seen: Snapshot, items: Sequence[ProgressItem], passed: Decimal | None
) -> list[ProgressAlliance]:
    """In order of appearance; a hospital that stands alone is in none."""
    members: dict[str, list[ProgressItem]] = {}
    for item in items:
        if item.alliance:
            members.setdefault(item.alliance, []).append(item)
    rows = []
    for alliance, entries in members.items():
        quota, issued = sum(entry.quota or 0 for entry in entries), sum(entry.issued for entry in entries)
        lacking = sum(max(0, (entry.quota or 0) - entry.issued) for entry in entries)
        expected = [entry.expected for entry in entries if entry.expected is not None]
        done = rate(issued, quota)
        rows.append(
            ProgressAlliance(
                alliance=alliance,
                quota=quota,
                issued=issued,
                used=sum(entry.used for entry in entries),
                effective=sum(entry.effective for entry in entries),
                rate=_text(done),
                month_issued=sum(entry.month_issued for entry in entries),
                needed_per_working_day=needed_per_working_day(lacking, 0, seen.prospect.ahead.working_left),
                lead=_text(lead(done, passed)),
                expected=sum(expected) if len(expected) == len(entries) else None,
            )
        )
    return rows


def _units(items: Sequence[ProgressItem]) -> list[ProgressUnit]:
    """The alliances, then each hospital that stands alone as a unit of its own."""
    members: dict[tuple[bool, str], list[ProgressItem]] = {}
    for item in sorted(items, key=lambda one: not one.alliance):
        members.setdefault((not item.alliance, item.alliance or item.hospital_id), []).append(item)
    rows = []
    for (alone, name), entries in members.items():
        quota, issued = sum(entry.quota or 0 for entry in entries), sum(entry.issued for entry in entries)
        rows.append(
            ProgressUnit(
                unit=entries[0].hospital if alone else name,
                hospital_id=entries[0].hospital_id if alone else None,
                hospitals=len(entries),
                quota=quota,
                issued=issued,
                used=sum(entry.used for entry in entries),
                effective=sum(entry.effective for entry in entries),
                month_issued=sum(entry.month_issued for entry in entries),
                rate=_text(rate(issued, quota)),
            )
        )
    return rows


def _warnings(seen: Snapshot, shown: Sequence[Hospital], outlooks: Mapping[str, Outlook]) -> list[Warned]:
    listed = {hospital.id: hospital for hospital in shown}
    short = {key: seen.quotas.get(key, 0) - (found.expected or 0) for key, found in outlooks.items()}
    rows = []
    for key in warned(outlooks, short):
        outlook, hospital = outlooks[key], listed[key]
        rows.append(
            Warned(
                hospital_id=key,
                hospital=hospital.name,
                alliance=hospital.alliance,
                quota=seen.quotas[key],
                issued=seen.figure(key).issued,
                expected=outlook.expected or 0,
                shortfall=short[key],
                miss_probability=rate_text(outlook.miss_probability or Decimal(0)),
                needed_per_working_day=outlook.needed_per_working_day,
                pace_per_working_day=_text(outlook.pace_per_working_day),
            )
        )
    return rows
