"""SQL of staff sessions, read by every service, and of citizens' accounts that are no longer good."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from shared.db import Database, Tx
from shared.identity.staff import Role, Staff
from shared.identity.tables import AccountRow, StaffRow, StaffSessionRow

_ABSENT = """
    SELECT id, erased_at IS NOT NULL AS erased FROM core.account
    WHERE (erased_at IS NOT NULL OR consent_withdrawn_at IS NOT NULL) AND id = ANY ($1::uuid[])
"""


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


@dataclass(frozen=True, slots=True)
class Standing:
    """Of an account: whom it stands for now, and whether its consent was taken back."""

    bucket: int
    person_id: UUID
    consent_withdrawn: bool


async def absent_accounts(database: Database, account_ids: Sequence[UUID]) -> dict[UUID, bool]:
    """Those of these accounts that are erased (True) or took their consent back (False); locks nothing."""
    rows = await database.call(_ABSENT, account_ids)
    return {row["id"]: row["erased"] for row in rows}


async def hold_account(tx: Tx, account_id: UUID) -> Standing | None:
    """Keeps the account from being erased until the transaction ends; None when it is erased.

    Whoever keeps something personal takes this lock first of all. It is shared: nobody else waits.
    """
    statement = (
        select(AccountRow.bucket, AccountRow.person_id, AccountRow.consent_withdrawn_at.is_not(None))
        .where(AccountRow.id == account_id, AccountRow.erased_at.is_(None))
        .with_for_update(read=True)
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Standing(*row)
