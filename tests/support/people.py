"""Builders of people. They write below the services, so that a test of one service needs no other."""

import secrets
from datetime import timedelta

from sqlalchemy import insert

from bench.simulator.persons import resident_id
from shared.identity.staff import SESSION_DOMAIN, Role, Staff
from shared.identity.tables import StaffRow, StaffSessionRow
from shared.ids import new_id
from shared.kit import Kit

__all__ = ["resident_id", "signed_in_staff", "staff_member"]


async def staff_member(
    kit: Kit, *roles: Role, institution_id: str | None = None, hospital_id: str | None = None
) -> Staff:
    """A new staff member with these roles, for tests below HTTP."""
    staff_id = new_id()
    staff = Staff(staff_id, f"staff-{staff_id.hex[-10:]}", frozenset(roles), institution_id, hospital_id)
    async with kit.database.transaction() as tx:
        await tx.execute(
            insert(StaffRow).values(
                id=staff.id,
                username=staff.username,
                password_hash="never used to sign in",
                roles=[str(role) for role in roles],
                institution_id=institution_id,
                hospital_id=hospital_id,
                created_at=kit.clock.now(),
            )
        )
    return staff


async def signed_in_staff(
    kit: Kit, *roles: Role, institution_id: str | None = None, hospital_id: str | None = None
) -> dict[str, str]:
    """A new staff member with these roles; returns the headers of a signed-in session."""
    staff = await staff_member(kit, *roles, institution_id=institution_id, hospital_id=hospital_id)
    token, now = secrets.token_urlsafe(24), kit.clock.now()
    async with kit.database.transaction() as tx:
        await tx.execute(
            insert(StaffSessionRow).values(
                token_hash=kit.keys.index.digest(SESSION_DOMAIN, token),
                staff_id=staff.id,
                created_at=now,
                expires_at=now + timedelta(days=3650),
            )
        )
    return {"Authorization": f"Bearer {token}"}
