"""SQL of what holds for a whole campaign: limits, ways to take part, and what its stock may still cost.

What is in force stands where the hot path reads it (`campaign_rules`, `channel`); each change adds a
version beside it. Locks in this order: the fund, then the campaign's rules or channel, then stock rows.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, text, update

from services.issuance.campaigns.tables import CampaignRulesRow, ChannelRow
from services.issuance.terms.rules import PutIn
from services.issuance.terms.tables import ChannelVersionRow, LimitsVersionRow, SettlementHoldVersionRow
from shared.db import Tx
from shared.ids import new_id

_REMAINING = text("""
    SELECT t.amount_fen, s.remaining
    FROM issuance.phase_stock s
    JOIN issuance.phase p ON p.id = s.phase_id
    JOIN core.voucher_type t ON t.campaign_id = p.campaign_id AND t.key = s.voucher_type
    WHERE p.campaign_id = :campaign_id
    ORDER BY s.phase_id, s.voucher_type
    FOR UPDATE OF s
""")
_PUT_IN = text("""
    SELECT t.key, t.amount_fen, t.total_cap, coalesce(sum(s.put_in), 0)::bigint
    FROM core.voucher_type t
    LEFT JOIN issuance.phase p ON p.campaign_id = t.campaign_id
    LEFT JOIN issuance.phase_stock s ON s.phase_id = p.id AND s.voucher_type = t.key
    WHERE t.campaign_id = :campaign_id
    GROUP BY t.campaign_id, t.key ORDER BY t.position
""")
# What is no longer as the definition said, named as its paths are.
_CHANGED = text("""
    SELECT 'per_person_limits' FROM issuance.limits_version
    WHERE campaign_id = :campaign_id HAVING count(*) > 1
    UNION ALL
    SELECT 'settlement_hold_days' FROM issuance.settlement_hold_version
    WHERE campaign_id = :campaign_id HAVING count(*) > 1
    UNION ALL
    SELECT 'channels.' || key FROM issuance.channel_version
    WHERE campaign_id = :campaign_id GROUP BY key HAVING count(*) > 1
    UNION ALL
    SELECT format('phases.%s.odds', p.seq) FROM issuance.phase p
    JOIN issuance.odds_version o ON o.phase_id = p.id
    WHERE p.campaign_id = :campaign_id GROUP BY p.seq HAVING count(*) > 1
    UNION ALL
    SELECT format('phases.%s.quiz', p.seq) FROM issuance.phase p
    JOIN issuance.quiz_rule q ON q.phase_id = p.id
    WHERE p.campaign_id = :campaign_id GROUP BY p.seq HAVING count(*) > 1
    UNION ALL
    SELECT format('phases.%s.stock', p.seq) FROM issuance.phase p
    JOIN issuance.stock_move m ON m.phase_id = p.id
    WHERE p.campaign_id = :campaign_id GROUP BY p.seq HAVING count(DISTINCT m.change_id) > 1
    UNION ALL
    SELECT 'budget_fen' FROM core.fund_version
    WHERE campaign_id = :campaign_id HAVING count(DISTINCT budget_fen) > 1
    UNION ALL
    SELECT 'funding_sources' FROM core.fund_version
    WHERE campaign_id = :campaign_id HAVING count(DISTINCT shares_ppm) > 1
""")
_LIMITS_START = text("""
    SELECT greatest(:now, max(effective_from) + interval '1 microsecond')
    FROM issuance.limits_version WHERE campaign_id = :campaign_id
""")
_SETTLEMENT_HOLD_START = text("""
    SELECT greatest(:now, max(effective_from) + interval '1 microsecond')
    FROM issuance.settlement_hold_version WHERE campaign_id = :campaign_id
""")
_CHANNEL_START = text("""
    SELECT greatest(:now, max(effective_from) + interval '1 microsecond')
    FROM issuance.channel_version WHERE campaign_id = :campaign_id AND key = :key
""")


@dataclass(frozen=True, slots=True)
class Version:
    """Whose change it is, why, and from when it holds."""

    campaign_id: UUID
    change_id: UUID
    reason: str | None
    effective_from: datetime


@dataclass(frozen=True, slots=True)
class Limits:
    """Per person; None binds nothing. `vouchers_per_type` counts all phases together."""

    vouchers_per_phase: int
    draws_per_day: int
    draws_per_phase: int | None = None
    vouchers_per_type: int | None = None


@dataclass(frozen=True, slots=True)
class Earning:
    """What a way to take part earns."""

    chances: int
    per_day: int | None
    review: bool


async def insert_limits(tx: Tx, version: Version, limits: Limits) -> None:
    await tx.execute(insert(LimitsVersionRow).values(id=new_id(), **asdict(version), **asdict(limits)))


async def insert_channel(tx: Tx, version: Version, key: str, earning: Earning) -> None:
    values = {"id": new_id(), "key": key, **asdict(version), **asdict(earning)}
    await tx.execute(insert(ChannelVersionRow).values(values))


async def insert_settlement_hold(tx: Tx, version: Version, days: int | None) -> None:
    values = {"id": new_id(), "settlement_hold_days": days, **asdict(version)}
    await tx.execute(insert(SettlementHoldVersionRow).values(values))


async def settlement_hold_start(tx: Tx, campaign_id: UUID, now: datetime) -> datetime:
    """When a new version of the hold period begins; the caller has locked the campaign's rules."""
    values = {"campaign_id": campaign_id, "now": now}
    start: datetime = (await tx.execute(_SETTLEMENT_HOLD_START, values)).scalar_one()
    return start


async def limits(tx: Tx, campaign_id: UUID, *, lock: bool = False) -> Limits:
    """The limits in force; locked, so that their versions begin one after the other. Draws do not wait."""
    statement = select(
        CampaignRulesRow.vouchers_per_phase,
        CampaignRulesRow.draws_per_day,
        CampaignRulesRow.draws_per_phase,
        CampaignRulesRow.vouchers_per_type,
    ).where(CampaignRulesRow.campaign_id == campaign_id)
    if lock:
        statement = statement.with_for_update(key_share=True)
    return Limits(*(await tx.execute(statement)).one())


async def set_limits(tx: Tx, campaign_id: UUID, wanted: Limits) -> None:
    """In force with the commit; the caller has locked them."""
    await tx.execute(
        update(CampaignRulesRow).where(CampaignRulesRow.campaign_id == campaign_id).values(**asdict(wanted))
    )


async def earning(tx: Tx, campaign_id: UUID, key: str, *, lock: bool = False) -> Earning | None:
    """None when the campaign does not have this way to take part; locked as the limits are."""
    statement = select(ChannelRow.chances, ChannelRow.per_day, ChannelRow.review).where(
        ChannelRow.campaign_id == campaign_id, ChannelRow.key == key
    )
    if lock:
        statement = statement.with_for_update(key_share=True)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Earning(*row)


async def set_earning(tx: Tx, campaign_id: UUID, key: str, wanted: Earning) -> None:
    """In force with the commit; the caller has locked it."""
    await tx.execute(
        update(ChannelRow)
        .where(ChannelRow.campaign_id == campaign_id, ChannelRow.key == key)
        .values(**asdict(wanted))
    )


async def limits_start(tx: Tx, campaign_id: UUID, now: datetime) -> datetime:
    """When a new version of the limits begins; the caller has locked them."""
    values = {"campaign_id": campaign_id, "now": now}
    start: datetime = (await tx.execute(_LIMITS_START, values)).scalar_one()
    return start


async def channel_start(tx: Tx, campaign_id: UUID, key: str, now: datetime) -> datetime:
    """When a new version of a channel begins; the caller has locked it."""
    values = {"campaign_id": campaign_id, "key": key, "now": now}
    start: datetime = (await tx.execute(_CHANNEL_START, values)).scalar_one()
    return start


async def lock_remaining(tx: Tx, campaign_id: UUID) -> Mapping[int, int]:
    """The vouchers that may still be issued, counted by their price. Locks all stock of the campaign."""
    pieces: dict[int, int] = {}
    for amount_fen, remaining in await tx.execute(_REMAINING, {"campaign_id": campaign_id}):
        pieces[amount_fen] = pieces.get(amount_fen, 0) + remaining
    return pieces


async def put_in(tx: Tx, campaign_id: UUID) -> Mapping[str, PutIn]:
    """By type, in the order in which people see them."""
    rows = await tx.execute(_PUT_IN, {"campaign_id": campaign_id})
    return {key: PutIn(*rest) for key, *rest in rows}


async def changed_paths(tx: Tx, campaign_id: UUID) -> list[str]:
    """Which parts of the definition a change has replaced since."""
    return list((await tx.execute(_CHANGED, {"campaign_id": campaign_id})).scalars())
