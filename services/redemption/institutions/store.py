"""SQL of the directory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects import postgresql

from services.redemption.institutions.rules import (
    DirectoryEntry,
    InstitutionStatus,
    KnownInstitution,
)
from services.redemption.institutions.tables import DirectoryImportRow, InstitutionRow, MembershipRow
from shared.db import Tx
from shared.vouchers.tables import CampaignRow

_PAGE = text("""
    SELECT i.id, i.name, i.category, i.county, i.public, i.address, i.status,
           array_agg(DISTINCT accepted.key ORDER BY accepted.key) AS accepts
    FROM redemption.institution i
    JOIN redemption.membership m ON m.institution_id = i.id
    JOIN core.campaign c ON c.id = m.campaign_id
    CROSS JOIN LATERAL unnest(m.accepts) AS accepted (key)
    WHERE (CAST(:campaign AS text) IS NULL OR c.slug = :campaign)
      AND (CAST(:county AS text) IS NULL OR i.county = :county)
      AND (CAST(:like AS text) IS NULL OR i.name ILIKE :like OR i.address ILIKE :like)
      AND (CAST(:after_name AS text) IS NULL OR (i.name, i.id) > (:after_name, :after_id))
    GROUP BY i.id
    HAVING CAST(:voucher_type AS text) IS NULL OR bool_or(accepted.key = :voucher_type)
    ORDER BY i.name, i.id
    LIMIT :limit
""")
_LIKE_SPECIAL = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


@dataclass(frozen=True, slots=True)
class Listed:
    """An institution as the public directory shows it."""

    id: str
    name: str
    category: str
    county: str | None
    public: bool | None
    address: str | None
    status: InstitutionStatus
    accepts: list[str]


@dataclass(frozen=True, slots=True)
class Filters:
    campaign: str | None
    voucher_type: str | None
    county: str | None
    q: str | None


async def insert_institution(
    tx: Tx, institution_id: str, entry: DirectoryEntry, *, created_by: UUID, now: datetime
) -> None:
    await tx.execute(
        insert(InstitutionRow).values(
            id=institution_id, **_columns(entry), created_by=created_by, created_at=now
        )
    )


async def update_institution(tx: Tx, institution_id: str, entry: DirectoryEntry) -> None:
    await tx.execute(
        update(InstitutionRow).where(InstitutionRow.id == institution_id).values(**_columns(entry))
    )


async def set_membership(
    tx: Tx, institution_id: str, campaign_id: UUID, accepts: Sequence[str], now: datetime
) -> None:
    """What it accepts in a campaign from now on; it joins the campaign when it was not in it."""
    statement = postgresql.insert(MembershipRow).values(
        institution_id=institution_id, campaign_id=campaign_id, accepts=list(accepts), since=now
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["institution_id", "campaign_id"], set_={"accepts": statement.excluded.accepts}
        )
    )


async def institution_status(tx: Tx, institution_id: str) -> InstitutionStatus | None:
    statement = select(InstitutionRow.status).where(InstitutionRow.id == institution_id)
    return cast("InstitutionStatus | None", (await tx.execute(statement)).scalar_one_or_none())


async def change_status(
    tx: Tx, institution_id: str, *, status: InstitutionStatus
) -> InstitutionStatus | None:
    """Sets the status; returns the one before (locked until the end), None for an unknown institution."""
    before = (
        select(InstitutionRow.id, InstitutionRow.status)
        .where(InstitutionRow.id == institution_id)
        .with_for_update()
        .cte("before")
    )
    statement = (
        update(InstitutionRow)
        .where(InstitutionRow.id == before.c.id)
        .values(status=status)
        .returning(before.c.status)
    )
    return cast("InstitutionStatus | None", (await tx.execute(statement)).scalar_one_or_none())


async def page(tx: Tx, filters: Filters, *, limit: int, after: tuple[str, str] | None) -> list[Listed]:
    """In the order of their names; up to `limit` institutions that fit every filter."""
    name, institution_id = after or (None, None)
    values = {
        "campaign": filters.campaign,
        "voucher_type": filters.voucher_type,
        "county": filters.county,
        "like": None if filters.q is None else f"%{filters.q.translate(_LIKE_SPECIAL)}%",
        "after_name": name,
        "after_id": institution_id,
        "limit": limit,
    }
    return [Listed(*row) for row in await tx.execute(_PAGE, values)]


async def lock_campaign(tx: Tx, campaign_id: UUID) -> None:
    """Of two imports into a campaign's directory one waits, and then finds what the other added."""
    statement = select(CampaignRow.id).where(CampaignRow.id == campaign_id).with_for_update(key_share=True)
    (await tx.execute(statement)).one()


async def known_institutions(tx: Tx, campaign_id: UUID) -> list[KnownInstitution]:
    """Every institution, with what it accepts in this campaign."""
    statement = select(
        InstitutionRow.id,
        InstitutionRow.name,
        InstitutionRow.category,
        InstitutionRow.county,
        InstitutionRow.public,
        InstitutionRow.address,
        InstitutionRow.credit_code,
        MembershipRow.accepts,
    ).outerjoin(
        MembershipRow,
        (MembershipRow.institution_id == InstitutionRow.id) & (MembershipRow.campaign_id == campaign_id),
    )
    found = []
    for row in await tx.execute(statement):
        accepts = None if row.accepts is None else tuple(row.accepts)
        entry = DirectoryEntry(
            name=row.name,
            category=row.category,
            county=row.county,
            public=row.public,
            address=row.address,
            credit_code=row.credit_code,
            accepts=accepts or (),
        )
        found.append(KnownInstitution(row.id, entry, accepts))
    return found


async def was_imported(tx: Tx, campaign_id: UUID, file_sha256: bytes) -> bool:
    statement = select(DirectoryImportRow.rows).where(
        DirectoryImportRow.campaign_id == campaign_id, DirectoryImportRow.file_sha256 == file_sha256
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def remember_import(
    tx: Tx,
    campaign_id: UUID,
    file_sha256: bytes,
    *,
    rows: int,
    accepted: int,
    imported_by: UUID,
    now: datetime,
) -> None:
    statement = postgresql.insert(DirectoryImportRow).values(
        campaign_id=campaign_id,
        file_sha256=file_sha256,
        rows=rows,
        accepted=accepted,
        imported_by=imported_by,
        imported_at=now,
    )
    await tx.execute(statement.on_conflict_do_nothing())


def _columns(entry: DirectoryEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "category": entry.category,
        "county": entry.county,
        "public": entry.public,
        "address": entry.address,
        "credit_code": entry.credit_code,
    }
