"""SQL of the catalogue. Vouchers themselves are written by the functions of functions.sql only."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql

from shared.db import Tx
from shared.vouchers.tables import CampaignRow, VoucherTypeRow

Status = Literal["published", "paused", "ended"]
Kind = Literal["directed", "general"]
ReversalBy = Literal["terminal", "staff", "never"]

_CAMPAIGN = (
    CampaignRow.id,
    CampaignRow.slug,
    CampaignRow.title,
    CampaignRow.timezone,
    CampaignRow.status,
    CampaignRow.institution_approval,
    CampaignRow.settlement_hold_days,
)
_TYPE = (
    VoucherTypeRow.key,
    VoucherTypeRow.kind,
    VoucherTypeRow.name,
    VoucherTypeRow.covers,
    VoucherTypeRow.amount_fen,
    VoucherTypeRow.validity_days,
    VoucherTypeRow.reports_result_to_health_code,
    VoucherTypeRow.total_cap,
    VoucherTypeRow.reversal,
    VoucherTypeRow.reversal_window_hours,
)


@dataclass(frozen=True, slots=True)
class CampaignRef:
    """A campaign as every service knows it.

    `institution_approval`: two people let an institution accept one of its types. `settlement_hold_days`:
    write-offs that reached us fewer days ago wait for the next settlement; None: as the platform is set.
    """

    id: UUID
    slug: str
    title: str
    timezone: str
    status: Status
    institution_approval: bool = False
    settlement_hold_days: int | None = None


@dataclass(frozen=True, slots=True)
class VoucherType:
    """`amount_fen` is the face value (general) or the settlement price (directed).

    `total_cap` bounds what all phases together put in. `reversal` says who may undo a write-off, and
    `reversal_window_hours` how long a terminal may.
    """

    key: str
    kind: Kind
    name: str
    covers: str | None
    amount_fen: int
    validity_days: int
    reports_result_to_health_code: bool = False
    total_cap: int | None = None
    reversal: ReversalBy = "terminal"
    reversal_window_hours: int | None = None


@dataclass(frozen=True, slots=True)
class TillRules:
    """What tills may do in a campaign beside the plain write-off. None: no limit.

    The offline limits are for one terminal and one day of use, of live write-offs that it uploaded.
    """

    manual_write_off: bool = False
    offline_count_per_day: int | None = None
    offline_fen_per_day: int | None = None


async def insert_campaign(tx: Tx, campaign: CampaignRef, rules: TillRules, *, now: datetime) -> bool:
    """False when the slug is taken; waits for a publication with that slug that is still under way."""
    statement = (
        postgresql.insert(CampaignRow)
        .values(
            id=campaign.id,
            slug=campaign.slug,
            title=campaign.title,
            timezone=campaign.timezone,
            status=campaign.status,
            institution_approval=campaign.institution_approval,
            settlement_hold_days=campaign.settlement_hold_days,
            created_at=now,
            manual_write_off=rules.manual_write_off,
            offline_count_per_day=rules.offline_count_per_day,
            offline_fen_per_day=rules.offline_fen_per_day,
        )
        .on_conflict_do_nothing(index_elements=["slug"])
        .returning(CampaignRow.id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def insert_types(tx: Tx, campaign_id: UUID, types: tuple[VoucherType, ...]) -> None:
    await tx.execute(
        insert(VoucherTypeRow),
        [
            {
                "campaign_id": campaign_id,
                "key": voucher_type.key,
                "position": position,
                "kind": voucher_type.kind,
                "name": voucher_type.name,
                "covers": voucher_type.covers,
                "amount_fen": voucher_type.amount_fen,
                "validity_days": voucher_type.validity_days,
                "reports_result_to_health_code": voucher_type.reports_result_to_health_code,
                "total_cap": voucher_type.total_cap,
                "reversal": voucher_type.reversal,
                "reversal_window_hours": voucher_type.reversal_window_hours,
            }
            for position, voucher_type in enumerate(types)
        ],
    )


async def campaign_row(
    tx: Tx, *, slug: str | None = None, campaign_id: UUID | None = None
) -> CampaignRef | None:
    """One campaign, by its slug or its id."""
    wanted = CampaignRow.slug == slug if campaign_id is None else CampaignRow.id == campaign_id
    row = (await tx.execute(select(*_CAMPAIGN).where(wanted))).one_or_none()
    return None if row is None else _campaign(row)


async def campaign_rows(tx: Tx) -> list[CampaignRef]:
    """All campaigns, the newest first: they are few, in any year."""
    statement = select(*_CAMPAIGN).order_by(CampaignRow.created_at.desc(), CampaignRow.id.desc())
    rows = await tx.execute(statement)
    return [_campaign(row) for row in rows]


def _campaign(row: Any) -> CampaignRef:  # noqa: ANN401 - a row of _CAMPAIGN
    return CampaignRef(
        row.id,
        row.slug,
        row.title,
        row.timezone,
        cast("Status", row.status),
        row.institution_approval,
        row.settlement_hold_days,
    )


async def type_rows(tx: Tx, campaign_id: UUID) -> list[VoucherType]:
    """The voucher types of a campaign in the order in which people see them."""
    statement = (
        select(*_TYPE).where(VoucherTypeRow.campaign_id == campaign_id).order_by(VoucherTypeRow.position)
    )
    rows = await tx.execute(statement)
    return [
        VoucherType(
            row.key,
            cast("Kind", row.kind),
            row.name,
            row.covers,
            row.amount_fen,
            row.validity_days,
            reports_result_to_health_code=row.reports_result_to_health_code,
            total_cap=row.total_cap,
            reversal=cast("ReversalBy", row.reversal),
            reversal_window_hours=row.reversal_window_hours,
        )
        for row in rows
    ]


async def set_settlement_hold(tx: Tx, campaign_id: UUID, days: int | None) -> None:
    """The hold period in force; the caller has serialised its versions."""
    await tx.execute(
        update(CampaignRow).where(CampaignRow.id == campaign_id).values(settlement_hold_days=days)
    )


async def change_status(tx: Tx, campaign_id: UUID, *, expected: str, status: str) -> bool:
    """Compare-and-set; False when the campaign was not in the expected status."""
    statement = (
        update(CampaignRow)
        .where(CampaignRow.id == campaign_id, CampaignRow.status == expected)
        .values(status=status)
        .returning(CampaignRow.id)
    )
    return (await tx.execute(statement)).one_or_none() is not None
