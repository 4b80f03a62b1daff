"""The outlook of a programme's hospitals, for the progress and for a month's ranking."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from services.quota.outlook.rules import AHEAD_DAYS_MAX, HISTORY_DAYS, Ahead, Days, History, Outlook, outlook
from services.quota.outlook.store import histories
from services.quota.programmes.store import Programme
from services.quota.progress.rules import first_day_of
from services.quota.progress.store import first_day
from services.quota.workdays.operations import calendar_of
from services.quota.workdays.rules import Calendar, days_between
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Prospect:
    """What is known of the days behind and ahead, and of each hospital's cards in them."""

    ahead: Ahead
    calendar: Calendar
    first: date | None
    starts_on: date | None
    histories: Mapping[str, History]
    unheard: History

    def of(self, hospital_id: str, quota: int | None, issued: int, *, dated: bool = True) -> Outlook:
        """`issued` is everything until the day that the prospect is of."""
        history = self.histories.get(hospital_id, self.unheard)
        return outlook(quota, issued, history, self.ahead, dated=dated)


async def prospect(tx: Tx, programme: Programme, *, today: date, through: date) -> Prospect:
    """As `today` begins, knowing what was counted until `through` (today, or the day before)."""
    first = await first_day(tx, programme.id)
    since = max(today - timedelta(days=HISTORY_DAYS), min(first or today, today))
    last = max(programme.ends_on or today, today + timedelta(days=AHEAD_DAYS_MAX))
    starts_on = first_day_of(programme.definition.get("issued_before", {}).get("as_of"), first)
    calendar = await calendar_of(tx, min(starts_on or since, since), last)
    behind = list(days_between(since, today - timedelta(days=1)))
    working = [day for day in behind if calendar.works(day)]
    return Prospect(
        ahead=Ahead(calendar, today, programme.ends_on),
        calendar=calendar,
        first=first,
        starts_on=starts_on,
        histories=await histories(
            tx, programme.id, first=since, today=today, through=through, working=working
        ),
        unheard=History(Days(len(working)), Days(len(behind) - len(working))),
    )
