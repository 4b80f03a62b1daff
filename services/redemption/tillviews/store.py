"""SQL of what a terminal shows of itself."""

from dataclasses import dataclass

from sqlalchemy import text

from shared.db import Tx

_OWN = text("""
    SELECT t.label, t.status, i.name, i.status AS institution_status
    FROM redemption.terminal t
    JOIN redemption.institution i ON i.id = t.institution_id
    WHERE t.id = :terminal_id
""")
_CAMPAIGNS = text("""
    SELECT c.slug, c.offline_count_per_day, c.offline_fen_per_day
    FROM redemption.membership m
    JOIN core.campaign c ON c.id = m.campaign_id
    WHERE m.institution_id = :institution_id
    ORDER BY c.slug
""")
_TYPES = text("""
    SELECT c.slug, t.key, t.name, t.kind, c.manual_write_off, t.reports_result_to_health_code
    FROM redemption.membership m
    JOIN core.campaign c ON c.id = m.campaign_id
    JOIN core.voucher_type t ON t.campaign_id = m.campaign_id AND t.key = ANY (m.accepts)
    WHERE m.institution_id = :institution_id
    ORDER BY c.slug, t.position
""")


@dataclass(frozen=True, slots=True)
class Own:
    label: str
    status: str
    institution: str
    institution_status: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """None: a day of uploads is not limited."""

    slug: str
    count_per_day: int | None
    fen_per_day: int | None


@dataclass(frozen=True, slots=True)
class AcceptedType:
    campaign: str
    key: str
    name: str
    kind: str
    by_id_number: bool
    reports_result: bool


async def own(tx: Tx, terminal_id: str) -> Own:
    row = (await tx.execute(_OWN, {"terminal_id": terminal_id})).one()
    return Own(*row)


async def campaigns(tx: Tx, institution_id: str) -> list[Campaign]:
    rows = await tx.execute(_CAMPAIGNS, {"institution_id": institution_id})
    return [Campaign(*row) for row in rows]


async def accepted_types(tx: Tx, institution_id: str) -> list[AcceptedType]:
    rows = await tx.execute(_TYPES, {"institution_id": institution_id})
    return [AcceptedType(*row) for row in rows]
