"""Stock as clerks watch it: what of it went where, and how long it lasts."""

from dataclasses import dataclass
from datetime import datetime

from services.issuance.campaigns.rules import phase_state
from services.issuance.phases.rules import Release
from services.issuance.stock import store
from services.issuance.stock.rules import PACE_WINDOW, Shelf, pace_of
from services.issuance.stock.schemas import StockItem, StockView
from shared.clock import rfc3339
from shared.kit import Kit
from shared.vouchers import catalogue


@dataclass(frozen=True, slots=True)
class StockTaking:
    kit: Kit

    async def of_campaign(self, slug: str) -> StockView:
        """Raises NotFound."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            found = await store.rows(tx, campaign.id, now=now, since=now - PACE_WINDOW)
        items = [_item(row, status=campaign.status, now=now) for row in found]
        return StockView(as_of=rfc3339(now), slug=slug, items=items)


def _item(row: store.Row, *, status: str, now: datetime) -> StockItem:
    shelf = _shelf(row)
    following, pace = shelf.next_release(now), pace_of(shelf, row.lately, now)
    used_up = None if pace is None else pace.used_up_at
    return StockItem(
        phase=row.phase,
        state=phase_state(row.opens_at, row.closes_at, status=status, now=now),
        voucher_type=row.voucher_type,
        name=row.name,
        put_in=row.put_in,
        released=shelf.released(now),
        remaining=row.remaining,
        claimable=_claimable(row, shelf, now),
        claimed=row.issued,
        redeemed=row.redeemed,
        outstanding=row.outstanding,
        expired=row.expired,
        revoked=row.revoked,
        returned=row.returned,
        next_release_at=None if following is None else rfc3339(following[0]),
        next_release=None if following is None else following[1],
        per_day=None if pace is None else f"{pace.per_day:f}",
        days_left=None if pace is None or pace.days_left is None else f"{pace.days_left:f}",
        used_up_at=None if used_up is None else rfc3339(used_up.replace(second=0, microsecond=0)),
        lasts=None if pace is None else used_up is None or used_up >= row.closes_at,
    )


def _shelf(row: store.Row) -> Shelf:
    release = None
    if row.release_seconds is not None and row.release_amount is not None:
        release = Release(row.opens_at, row.closes_at, row.release_seconds, row.release_amount)
    return Shelf(row.opens_at, row.closes_at, row.put_in, row.remaining, release)


def _claimable(row: store.Row, shelf: Shelf, now: datetime) -> int:
    if now < row.opens_at or shelf.release is None:
        return 0 if now < row.opens_at else row.remaining
    return shelf.release.claimable(row.remaining, row.issued - row.returned, now)
