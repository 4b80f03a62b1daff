"""SQL of contract prices; the write-off looks them up by itself."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select

from services.redemption.contracts.tables import ContractPriceRow
from services.redemption.institutions.tables import InstitutionRow, MembershipRow
from shared.db import Tx
from shared.vouchers.tables import CampaignRow


@dataclass(frozen=True, slots=True)
class Price:
    """`price_fen` is None where the campaign's price holds from then on."""

    campaign: str
    voucher_type: str
    effective_day: date
    effective_from: datetime
    version: int
    price_fen: int | None
    reason: str
    change_id: UUID
    created_at: datetime


async def takes_part(tx: Tx, institution_id: str, campaign_id: UUID) -> bool:
    """Whether it is a member; it stays one until the end, and of two prices for it one waits."""
    statement = (
        select(InstitutionRow.id)
        .join(MembershipRow, MembershipRow.institution_id == InstitutionRow.id)
        .where(
            InstitutionRow.id == institution_id,
            InstitutionRow.status != "closed",
            MembershipRow.campaign_id == campaign_id,
        )
        .with_for_update(key_share=True, of=InstitutionRow)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def insert_price(tx: Tx, values: dict[str, Any]) -> None:
    """The next version for its beginning; the caller has locked the institution."""
    same = (
        ContractPriceRow.institution_id == values["institution_id"],
        ContractPriceRow.campaign_id == values["campaign_id"],
        ContractPriceRow.voucher_type == values["voucher_type"],
        ContractPriceRow.effective_from == values["effective_from"],
    )
    latest = select(func.coalesce(func.max(ContractPriceRow.version), 0) + 1).where(*same)
    await tx.execute(insert(ContractPriceRow).values(**values, version=latest.scalar_subquery()))


async def prices(tx: Tx, institution_id: str, campaign: str | None) -> list[Price]:
    """All versions, the last to begin first."""
    statement = (
        select(
            CampaignRow.slug,
            ContractPriceRow.voucher_type,
            ContractPriceRow.effective_day,
            ContractPriceRow.effective_from,
            ContractPriceRow.version,
            ContractPriceRow.price_fen,
            ContractPriceRow.reason,
            ContractPriceRow.change_id,
            ContractPriceRow.created_at,
        )
        .join(CampaignRow, CampaignRow.id == ContractPriceRow.campaign_id)
        .where(ContractPriceRow.institution_id == institution_id)
        .order_by(
            CampaignRow.slug,
            ContractPriceRow.voucher_type,
            ContractPriceRow.effective_from.desc(),
            ContractPriceRow.version.desc(),
        )
    )
    if campaign is not None:
        statement = statement.where(CampaignRow.slug == campaign)
    return [_price(row) for row in await tx.execute(statement)]


async def institution_exists(tx: Tx, institution_id: str) -> bool:
    statement = select(InstitutionRow.id).where(InstitutionRow.id == institution_id)
    return (await tx.execute(statement)).one_or_none() is not None


def _price(row: Any) -> Price:  # noqa: ANN401 - a row of `prices`
    return Price(*row)
