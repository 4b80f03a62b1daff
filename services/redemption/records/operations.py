"""Looking write-offs up: the bureau all of them, an institution its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.redemption.records import store
from services.redemption.records.rules import day_start
from services.redemption.records.store import Filters, WriteOff
from services.redemption.settlement.operations import visible_to
from shared import ledger
from shared.errors import Forbidden, NotFound
from shared.identity.staff import Staff
from shared.ids import HotId
from shared.kit import Kit
from shared.vouchers import catalogue

# A voucher is written off, undone and written off again a few times at the most.
_OF_VOUCHER_MAX = 200
# Days of people who name no campaign: all campaigns run in China.
_TIMEZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Search:
    """What was asked for; days are included."""

    campaign: str | None
    first: date | None
    last: date | None
    filters: Filters


@dataclass(frozen=True, slots=True)
class Found:
    """A page of write-offs, and of all that fit: how many they are and what they applied."""

    items: list[WriteOff]
    total: int
    applied_fen: int


@dataclass(frozen=True, slots=True)
class Records:
    kit: Kit

    async def page(
        self, staff: Staff, search: Search, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> Found:
        """Newest first, one more than `limit` if there are more. Raises Forbidden, NotFound."""
        institution_id = _of(staff, search.filters.institution_id)
        async with self.kit.database.snapshot() as tx:
            campaign_id, timezone = None, _TIMEZONE
            if search.campaign is not None:
                campaign = await catalogue.campaign_by_slug(tx, search.campaign)
                campaign_id, timezone = campaign.id, campaign.timezone
            filters = replace(
                search.filters,
                campaign_id=campaign_id,
                institution_id=institution_id,
                since=None if search.first is None else day_start(search.first, timezone),
                until=None if search.last is None else day_start(search.last + timedelta(days=1), timezone),
            )
            found = await store.page(tx, filters, limit=limit + 1, after=after)
            return Found(found, *await store.sums(tx, filters))

    async def of_voucher(self, staff: Staff, voucher: HotId, institution_id: str | None) -> Found:
        """Every write-off of a voucher. Raises Forbidden."""
        own = _of(staff, institution_id)
        async with self.kit.database.snapshot() as tx:
            found = await store.of_voucher(tx, voucher.bucket, voucher.uuid, own, limit=_OF_VOUCHER_MAX)
        return Found(found, len(found), sum(one.applied_fen for one in found))

    async def one(
        self, staff: Staff, address: HotId
    ) -> tuple[dict[str, Any], Sequence[ledger.Payer], list[dict[str, Any]]]:
        """A write-off, its payers in the order of its split, and its holds. Raises NotFound, Forbidden."""
        own = visible_to(staff)
        async with self.kit.database.snapshot() as tx:
            found = await store.one(tx, address.bucket, address.uuid)
            if found is None:
                raise NotFound
            if own not in (None, found["institution_id"]):
                raise Forbidden
            fund = await ledger.fund_of(tx, found["campaign_id"])
            holds = await store.holds(tx, found["institution_id"], address.bucket, address.uuid)
        return found, fund.payers, holds


def _of(staff: Staff, asked: str | None) -> str | None:
    """The institution whose rows are shown; None for all. Raises Forbidden for another's."""
    own = visible_to(staff)
    if own is not None and asked not in (None, own):
        raise Forbidden
    return own or asked
