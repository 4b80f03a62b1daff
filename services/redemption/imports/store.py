"""SQL of imported lists and of undoing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, tuple_, update

from services.redemption.imports.rules import KnownInstitution
from services.redemption.imports.tables import DirectoryImportRow
from services.redemption.institutions.rules import Admission, DirectoryEntry
from services.redemption.institutions.tables import InstitutionRow, MembershipRow
from shared.db import Tx
from shared.vouchers.tables import CampaignRow

# What a list brought in, with what has happened to it since: of each institution its last version by the
# import, whether it is the last of all, and what makes use of it.
_BROUGHT = text("""
    SELECT v.institution_id, i.name, v.before, v.entry,
           v.version = (SELECT max(l.version) FROM redemption.institution_version l
                        WHERE l.institution_id = v.institution_id) AS untouched,
           EXISTS (SELECT FROM redemption.redemption r
                   WHERE r.institution_id = v.institution_id AND r.campaign_id = :campaign_id
                     AND r.received_at >= :since) AS redeemed,
           EXISTS (SELECT FROM redemption.terminal t WHERE t.institution_id = v.institution_id) AS terminals,
           EXISTS (SELECT FROM redemption.contract_price p
                   WHERE p.institution_id = v.institution_id AND p.campaign_id = :campaign_id
                     AND p.created_at >= :since)
               AS priced,
           EXISTS (SELECT FROM redemption.operator o WHERE o.institution_id = v.institution_id)
           OR EXISTS (SELECT FROM core.staff s WHERE s.institution_id = v.institution_id) AS staffed
    FROM redemption.institution_version v
    LEFT JOIN redemption.institution i ON i.id = v.institution_id
    WHERE v.import_id = :import_id AND v.cause = 'import'
    ORDER BY v.institution_id
""")
_LOCK_BROUGHT = text("""
    SELECT i.id FROM redemption.institution i
    WHERE i.id IN (SELECT v.institution_id FROM redemption.institution_version v
                   WHERE v.import_id = :import_id AND v.cause = 'import')
    ORDER BY i.id
    FOR UPDATE OF i
""")


@dataclass(frozen=True, slots=True)
class Import:
    id: UUID
    campaign_id: UUID
    campaign: str
    file_sha256: bytes
    rows: int
    accepted: int
    updated: int
    imported_by: UUID
    imported_at: datetime
    undone_at: datetime | None


@dataclass(frozen=True, slots=True)
class Brought:
    """An institution that a list added or changed; `before` is None for one that it added."""

    institution_id: str
    name: str | None
    before: dict[str, Any] | None
    entry: dict[str, Any]
    untouched: bool
    redeemed: bool
    terminals: bool
    priced: bool
    staffed: bool


_IMPORT = (
    DirectoryImportRow.id,
    DirectoryImportRow.campaign_id,
    CampaignRow.slug,
    DirectoryImportRow.file_sha256,
    DirectoryImportRow.rows,
    DirectoryImportRow.accepted,
    DirectoryImportRow.updated,
    DirectoryImportRow.imported_by,
    DirectoryImportRow.imported_at,
    DirectoryImportRow.undone_at,
)


async def lock_campaign(tx: Tx, campaign_id: UUID) -> None:
    """Of two imports into a campaign's directory one waits, and then finds what the other added."""
    statement = select(CampaignRow.id).where(CampaignRow.id == campaign_id).with_for_update(key_share=True)
    (await tx.execute(statement)).one()


async def known_institutions(tx: Tx, campaign_id: UUID) -> list[KnownInstitution]:
    """Every institution that is not closed, with what it accepts in this campaign."""
    statement = (
        select(
            InstitutionRow.id,
            InstitutionRow.name,
            InstitutionRow.category,
            InstitutionRow.county,
            InstitutionRow.public,
            InstitutionRow.address,
            InstitutionRow.credit_code,
            InstitutionRow.hours,
            MembershipRow.accepts,
            MembershipRow.awaiting,
        )
        .outerjoin(
            MembershipRow,
            (MembershipRow.institution_id == InstitutionRow.id) & (MembershipRow.campaign_id == campaign_id),
        )
        .where(InstitutionRow.status != "closed")
    )
    found = []
    for row in await tx.execute(statement):
        admission = None if row.accepts is None else Admission(tuple(row.accepts), tuple(row.awaiting))
        entry = DirectoryEntry(
            name=row.name,
            category=row.category,
            county=row.county,
            public=row.public,
            address=row.address,
            credit_code=row.credit_code,
            accepts=() if admission is None else admission.told,
            hours=row.hours,
        )
        found.append(KnownInstitution(row.id, entry, admission))
    return found


async def was_imported(tx: Tx, campaign_id: UUID, file_sha256: bytes) -> bool:
    """Whether this very file was imported before, and not undone."""
    statement = select(func.count()).where(
        DirectoryImportRow.campaign_id == campaign_id,
        DirectoryImportRow.file_sha256 == file_sha256,
        DirectoryImportRow.undone_at.is_(None),
    )
    return bool((await tx.execute(statement)).scalar_one())


async def remember_import(tx: Tx, values: dict[str, Any]) -> None:
    await tx.execute(insert(DirectoryImportRow).values(**values))


async def page(
    tx: Tx, campaign: str | None, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[Import]:
    """Newest first."""
    statement = select(*_IMPORT).join(CampaignRow, CampaignRow.id == DirectoryImportRow.campaign_id)
    if campaign is not None:
        statement = statement.where(CampaignRow.slug == campaign)
    if after is not None:
        statement = statement.where(tuple_(DirectoryImportRow.imported_at, DirectoryImportRow.id) < after)
    statement = statement.order_by(DirectoryImportRow.imported_at.desc(), DirectoryImportRow.id.desc())
    return [_import(row) for row in await tx.execute(statement.limit(limit))]


async def find(tx: Tx, import_id: UUID) -> Import | None:
    statement = (
        select(*_IMPORT)
        .join(CampaignRow, CampaignRow.id == DirectoryImportRow.campaign_id)
        .where(DirectoryImportRow.id == import_id)
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else _import(row)


async def mark_undone(tx: Tx, import_id: UUID, *, by: UUID, at: datetime) -> bool:
    """False when it was undone before; of two who undo it one waits and is late."""
    statement = (
        update(DirectoryImportRow)
        .where(DirectoryImportRow.id == import_id, DirectoryImportRow.undone_at.is_(None))
        .values(undone_at=at, undone_by=by)
        .returning(DirectoryImportRow.id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def brought(tx: Tx, found: Import) -> list[Brought]:
    """What an import added or changed, its institutions locked in the order of their ids."""
    await tx.execute(_LOCK_BROUGHT, {"import_id": found.id})
    values = {"import_id": found.id, "campaign_id": found.campaign_id, "since": found.imported_at}
    return [Brought(*row) for row in await tx.execute(_BROUGHT, values)]


async def leave_campaign(tx: Tx, institution_id: str, campaign_id: UUID) -> None:
    await tx.execute(
        delete(MembershipRow).where(
            MembershipRow.institution_id == institution_id, MembershipRow.campaign_id == campaign_id
        )
    )


async def remove(tx: Tx, institution_ids: Sequence[str]) -> None:
    """Takes institutions out that nobody ever used; their history stays."""
    await tx.execute(delete(MembershipRow).where(MembershipRow.institution_id.in_(institution_ids)))
    await tx.execute(delete(InstitutionRow).where(InstitutionRow.id.in_(institution_ids)))


def _import(row: Any) -> Import:  # noqa: ANN401 - a row of _IMPORT
    return Import(*row)
