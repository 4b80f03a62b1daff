"""SQL of the directory."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects import postgresql

from services.redemption.institutions.rules import Admission, DirectoryEntry, InstitutionStatus
from services.redemption.institutions.tables import InstitutionRow, InstitutionVersionRow, MembershipRow
from shared.db import Tx
from shared.vouchers.tables import CampaignRow

_FITS = """
    FROM redemption.institution i
    JOIN redemption.membership m ON m.institution_id = i.id
    JOIN core.campaign c ON c.id = m.campaign_id
    CROSS JOIN LATERAL unnest(m.accepts) AS accepted (key)
    WHERE (CASE WHEN CAST(:status AS text) IS NULL THEN i.status <> 'closed' ELSE i.status = :status END)
      AND (CAST(:campaign AS text) IS NULL OR c.slug = :campaign)
      AND (CAST(:category AS text) IS NULL OR i.category = :category)
      AND (CAST(:public AS boolean) IS NULL OR i.public = :public)
      AND (CAST(:county AS text) IS NULL OR i.county = :county)
      AND (CAST(:like AS text) IS NULL OR i.name ILIKE :like OR i.address ILIKE :like)
"""
_PAGE = text(f"""
    SELECT i.id, i.name, i.category, i.county, i.public, i.address, i.status, i.hours,
           array_agg(DISTINCT accepted.key ORDER BY accepted.key) AS accepts
    {_FITS}
      AND (CAST(:after_name AS text) IS NULL OR (i.name, i.id) > (:after_name, :after_id))
    GROUP BY i.id
    HAVING CAST(:voucher_type AS text) IS NULL OR bool_or(accepted.key = :voucher_type)
    ORDER BY i.name, i.id
    LIMIT :limit
""")
_COUNT = text(f"""
    SELECT count(DISTINCT i.id) {_FITS}
      AND (CAST(:voucher_type AS text) IS NULL OR accepted.key = :voucher_type)
""")
_KEPT = (
    InstitutionRow.id,
    InstitutionRow.name,
    InstitutionRow.category,
    InstitutionRow.county,
    InstitutionRow.public,
    InstitutionRow.address,
    InstitutionRow.credit_code,
    InstitutionRow.hours,
    InstitutionRow.status,
)
_VERSION = (
    InstitutionVersionRow.institution_id,
    InstitutionVersionRow.campaign_id,
    InstitutionVersionRow.cause,
    InstitutionVersionRow.before,
    InstitutionVersionRow.entry,
    InstitutionVersionRow.actor,
    InstitutionVersionRow.reason,
    InstitutionVersionRow.at,
    InstitutionVersionRow.import_id,
    InstitutionVersionRow.version,
)
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
    hours: dict[str, list[str]] | None
    accepts: list[str]


@dataclass(frozen=True, slots=True)
class Filters:
    campaign: str | None
    voucher_type: str | None
    county: str | None
    q: str | None
    category: str | None = None
    public: bool | None = None
    status: InstitutionStatus | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """What an institution accepts in a campaign."""

    campaign_id: UUID
    campaign: str
    admission: Admission


@dataclass(frozen=True, slots=True)
class Kept:
    """An institution as it is; its entry accepts nothing, because that is said for each campaign."""

    id: str
    entry: DirectoryEntry
    status: InstitutionStatus


@dataclass(frozen=True, slots=True)
class Version:
    """A line of an institution's history; None before or after: it was not there."""

    institution_id: str
    campaign_id: UUID | None
    cause: str
    before: dict[str, Any] | None
    entry: dict[str, Any] | None
    actor: str
    reason: str | None
    at: datetime
    import_id: UUID | None = None
    version: int = 0


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
    tx: Tx, institution_id: str, campaign_id: UUID, admission: Admission, now: datetime
) -> None:
    """What it accepts in a campaign from now on; it joins the campaign when it was not in it."""
    statement = postgresql.insert(MembershipRow).values(
        institution_id=institution_id,
        campaign_id=campaign_id,
        accepts=list(admission.accepts),
        awaiting=list(admission.awaiting),
        since=now,
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["institution_id", "campaign_id"],
            set_={"accepts": statement.excluded.accepts, "awaiting": statement.excluded.awaiting},
        )
    )


async def lock(tx: Tx, institution_id: str) -> Kept | None:
    """The institution, locked until the end: of two who change it one waits and sees the other's."""
    statement = select(*_KEPT).where(InstitutionRow.id == institution_id).with_for_update(key_share=True)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else _kept(row)


async def find(tx: Tx, institution_id: str) -> Kept | None:
    row = (await tx.execute(select(*_KEPT).where(InstitutionRow.id == institution_id))).one_or_none()
    return None if row is None else _kept(row)


async def memberships(tx: Tx, institution_id: str) -> list[Member]:
    """In every campaign, the newest first."""
    statement = (
        select(MembershipRow.campaign_id, CampaignRow.slug, MembershipRow.accepts, MembershipRow.awaiting)
        .join(CampaignRow, CampaignRow.id == MembershipRow.campaign_id)
        .where(MembershipRow.institution_id == institution_id)
        .order_by(MembershipRow.since.desc(), MembershipRow.campaign_id)
    )
    return [
        Member(row.campaign_id, row.slug, Admission(tuple(row.accepts), tuple(row.awaiting)))
        for row in await tx.execute(statement)
    ]


async def admission(tx: Tx, institution_id: str, campaign_id: UUID) -> Admission | None:
    """What it accepts in a campaign, locked; None when it takes no part in it."""
    statement = (
        select(MembershipRow.accepts, MembershipRow.awaiting)
        .where(MembershipRow.institution_id == institution_id, MembershipRow.campaign_id == campaign_id)
        .with_for_update(key_share=True)
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Admission(tuple(row.accepts), tuple(row.awaiting))


async def write_version(tx: Tx, version: Version) -> int:
    """Appends to the history; the caller has locked the institution. Returns the version's number."""
    latest = (
        select(func.coalesce(func.max(InstitutionVersionRow.version), 0) + 1)
        .where(InstitutionVersionRow.institution_id == version.institution_id)
        .scalar_subquery()
    )
    told = {
        name: getattr(version, name)
        for name in (
            "institution_id",
            "campaign_id",
            "cause",
            "before",
            "entry",
            "actor",
            "reason",
            "at",
            "import_id",
        )
    }
    statement = insert(InstitutionVersionRow).values(**told, version=latest)
    return int((await tx.execute(statement.returning(InstitutionVersionRow.version))).scalar_one())


async def versions(tx: Tx, institution_id: str, *, limit: int, before: int | None) -> list[Version]:
    """Newest first, those below `before`."""
    statement = (
        select(*_VERSION)
        .where(InstitutionVersionRow.institution_id == institution_id)
        .order_by(InstitutionVersionRow.version.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(InstitutionVersionRow.version < before)
    return [Version(*row) for row in await tx.execute(statement)]


async def institution_status(tx: Tx, institution_id: str) -> InstitutionStatus | None:
    statement = select(InstitutionRow.status).where(InstitutionRow.id == institution_id)
    return cast("InstitutionStatus | None", (await tx.execute(statement)).scalar_one_or_none())


async def change_status(
    tx: Tx, institution_id: str, *, status: InstitutionStatus
) -> InstitutionStatus | None:
    """Sets the status; returns the one before (locked until the end), None for one unknown or closed."""
    before = (
        select(InstitutionRow.id, InstitutionRow.status)
        .where(InstitutionRow.id == institution_id, InstitutionRow.status != "closed")
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
    values = {**_values(filters), "after_name": name, "after_id": institution_id, "limit": limit}
    return [Listed(*row) for row in await tx.execute(_PAGE, values)]


async def count(tx: Tx, filters: Filters) -> int:
    """How many fit every filter."""
    return int((await tx.execute(_COUNT, _values(filters))).scalar_one())


def _values(filters: Filters) -> dict[str, Any]:
    return {
        "campaign": filters.campaign,
        "voucher_type": filters.voucher_type,
        "county": filters.county,
        "category": filters.category,
        "public": filters.public,
        "status": filters.status,
        "like": None if filters.q is None else f"%{filters.q.translate(_LIKE_SPECIAL)}%",
    }


def _columns(entry: DirectoryEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "category": entry.category,
        "county": entry.county,
        "public": entry.public,
        "address": entry.address,
        "credit_code": entry.credit_code,
        "hours": entry.hours,
    }


def _kept(row: Any) -> Kept:  # noqa: ANN401 - a row of _KEPT
    entry = DirectoryEntry(
        name=row.name,
        category=row.category,
        county=row.county,
        public=row.public,
        address=row.address,
        credit_code=row.credit_code,
        accepts=(),
        hours=row.hours,
    )
    return Kept(row.id, entry, row.status)
