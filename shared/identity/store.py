"""SQL of staff sessions, read by every service."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from shared.db import Tx
from shared.identity.staff import Role, Staff
from shared.identity.tables import AccountRow, StaffRow, StaffSessionRow


async def staff_of_session(tx: Tx, token_hash: bytes, now: datetime) -> Staff | None:
    """The staff member of a live session, None when it is unknown, expired, revoked or its owner disabled."""
    statement = (
        select(StaffRow.id, StaffRow.username, StaffRow.roles, StaffRow.institution_id, StaffRow.hospital_id)
        .join(StaffSessionRow, StaffSessionRow.staff_id == StaffRow.id)
        .where(
            StaffSessionRow.token_hash == token_hash,
            StaffSessionRow.expires_at > now,
            StaffSessionRow.revoked_at.is_(None),
            StaffRow.disabled_at.is_(None),
        )
    )
    row = (await tx.execute(statement)).one_or_none()
    if row is None:
        return None
    return Staff(
        id=row.id,
        username=row.username,
        roles=frozenset(Role(role) for role in row.roles),
        institution_id=row.institution_id,
        hospital_id=row.hospital_id,
    )


async def usernames(tx: Tx, staff_ids: set[UUID]) -> dict[UUID, str]:
    """The names of these staff, also of those who were disabled; ids that are no staff are left out."""
    statement = select(StaffRow.id, StaffRow.username).where(StaffRow.id.in_(staff_ids))
    return {row.id: row.username for row in await tx.execute(statement)}


async def account_is_live(tx: Tx, account_id: UUID) -> bool:
    statement = select(AccountRow.id).where(AccountRow.id == account_id, AccountRow.erased_at.is_(None))
    return (await tx.execute(statement)).one_or_none() is not None
