"""The catalogue that all services share: campaigns, their voucher types, and who pays for them."""

from datetime import datetime
from uuid import UUID

from shared import ledger
from shared.clock import local_day
from shared.db import Tx
from shared.errors import NotFound
from shared.vouchers import store
from shared.vouchers.store import CampaignRef, Kind, ReversalBy, Status, TillRules, VoucherType

__all__ = [
    "CampaignRef",
    "Kind",
    "ReversalBy",
    "Status",
    "TillRules",
    "VoucherType",
    "campaign_by_id",
    "campaign_by_slug",
    "campaigns",
    "publish",
    "set_settlement_hold",
    "set_status",
    "voucher_types",
]

# Nothing beside the plain write-off.
PLAIN_TILLS = TillRules()


async def publish(
    tx: Tx,
    campaign: CampaignRef,
    *,
    types: tuple[VoucherType, ...],
    fund: ledger.Fund,
    actor: str,
    now: datetime,
    pieces: ledger.Pieces | None = None,
    tills: TillRules = PLAIN_TILLS,
) -> bool:
    """Writes the campaign, its types and its fund with the opening transfer; False if the slug is taken.

    `pieces` are the vouchers that its stock may become, counted by their price.
    """
    if not await store.insert_campaign(tx, campaign, tills, now=now):
        return False
    await store.insert_types(tx, campaign.id, types)
    day = local_day(now, campaign.timezone)
    cause = ledger.Cause(campaign.id, actor, None, now, day)
    await ledger.open_fund(tx, campaign.id, fund, cause, pieces=pieces or {})
    return True


async def campaign_by_slug(tx: Tx, slug: str) -> CampaignRef:
    """Raises NotFound: a campaign that is only proposed does not exist yet."""
    return _existing(await store.campaign_row(tx, slug=slug))


async def campaign_by_id(tx: Tx, campaign_id: UUID) -> CampaignRef:
    """Raises NotFound."""
    return _existing(await store.campaign_row(tx, campaign_id=campaign_id))


async def campaigns(tx: Tx) -> list[CampaignRef]:
    """All campaigns, the newest first."""
    return await store.campaign_rows(tx)


async def voucher_types(tx: Tx, campaign_id: UUID) -> list[VoucherType]:
    """In the order in which people see them."""
    return await store.type_rows(tx, campaign_id)


async def set_status(tx: Tx, campaign_id: UUID, *, expected: Status, status: Status) -> bool:
    """False when somebody changed it meanwhile: the caller reads again and says what it is."""
    return await store.change_status(tx, campaign_id, expected=expected, status=status)


async def set_settlement_hold(tx: Tx, campaign_id: UUID, days: int | None) -> None:
    """For settlement runs that begin from the commit on; None: as the platform is set."""
    await store.set_settlement_hold(tx, campaign_id, days)


def _existing(campaign: CampaignRef | None) -> CampaignRef:
    if campaign is None:
        raise NotFound
    return campaign
