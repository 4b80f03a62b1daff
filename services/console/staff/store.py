"""SQL of staff, their sessions and their failed sign-ins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, func, literal, select, text, tuple_, update
from sqlalchemy.dialects import postgresql

from services.console.staff.rules import Account, Attempts
from shared.db import Tx
from shared.identity.staff import Role, Staff
from shared.identity.tables import SignInFailureRow, StaffRow, StaffSessionRow


@dataclass(frozen=True, slots=True)
class NewStaff:
    id: UUID
    username: str
    password_hash: str
    roles: tuple[Role, ...]
    institution_id: str | None
    hospital_id: str | None


@dataclass(frozen=True, slots=True)
class Bound:
    """What an account may do, and whose rows it sees."""

    roles: tuple[Role, ...]
    institution_id: str | None
    hospital_id: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of staff is narrowed to; None does not filter."""

    q: str = ""
    role: Role | None = None
    disabled: bool | None = None


_STAFF = (
    StaffRow.id,
    StaffRow.username,
    StaffRow.roles,
    StaffRow.institution_id,
    StaffRow.hospital_id,
)
_ACCOUNT = (*_STAFF, StaffRow.created_at, StaffRow.disabled_at)

# One atomic statement, so that guesses sent at once are all counted. A window that ended begins anew;
# the failure that locks also begins the window, so that the lock lasts its whole length.
_COUNT_FAILURE = text("""
    INSERT INTO core.sign_in_failure AS f (username_hash, failures, window_started_at)
    VALUES (:username_hash, 1, :now)
    ON CONFLICT (username_hash) DO UPDATE
    SET failures = CASE WHEN f.window_started_at <= :window_floor THEN 1 ELSE f.failures + 1 END,
        window_started_at = CASE WHEN f.window_started_at <= :window_floor OR f.failures + 1 = :failures_max
                                 THEN :now ELSE f.window_started_at END
    RETURNING failures, window_started_at
""")


async def attempts(tx: Tx, username_hash: bytes) -> Attempts | None:
    statement = select(SignInFailureRow.failures, SignInFailureRow.window_started_at).where(
        SignInFailureRow.username_hash == username_hash
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Attempts(*row)


async def attempts_of(tx: Tx, username_hashes: Sequence[bytes]) -> dict[bytes, Attempts]:
    statement = select(
        SignInFailureRow.username_hash, SignInFailureRow.failures, SignInFailureRow.window_started_at
    ).where(SignInFailureRow.username_hash.in_(username_hashes))
    return {row[0]: Attempts(row[1], row[2]) for row in await tx.execute(statement)}


async def count_failure(
    tx: Tx, username_hash: bytes, *, now: datetime, window_floor: datetime, failures_max: int
) -> Attempts:
    values = {
        "username_hash": username_hash,
        "now": now,
        "window_floor": window_floor,
        "failures_max": failures_max,
    }
    return Attempts(*(await tx.execute(_COUNT_FAILURE, values)).one())


async def forget_failures(tx: Tx, username_hash: bytes) -> None:
    await tx.execute(delete(SignInFailureRow).where(SignInFailureRow.username_hash == username_hash))


async def forget_failures_before(tx: Tx, window_floor: datetime) -> int:
    statement = delete(SignInFailureRow).where(SignInFailureRow.window_started_at <= window_floor)
    return (await tx.execute(statement)).rowcount


async def by_username(tx: Tx, username: str) -> tuple[Staff, str] | None:
    """A staff member who may sign in, with the hash of the password."""
    statement = select(*_STAFF, StaffRow.password_hash).where(
        StaffRow.username == username, StaffRow.disabled_at.is_(None)
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else (_staff(row), row.password_hash)


async def hold_if_enabled(tx: Tx, staff_id: UUID) -> bool:
    """Holds the row until the commit, so that a session never begins after its owner was disabled."""
    statement = (
        select(StaffRow.id)
        .where(StaffRow.id == staff_id, StaffRow.disabled_at.is_(None))
        .with_for_update(read=True)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def change_password_hash(tx: Tx, staff_id: UUID, *, old: str, new: str) -> bool:
    """Compare-and-set: of two changes at once the second one finds that the old password is gone."""
    statement = (
        update(StaffRow)
        .where(StaffRow.id == staff_id, StaffRow.password_hash == old)
        .values(password_hash=new)
        .returning(StaffRow.id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def revoke_sessions_of(tx: Tx, staff_id: UUID, now: datetime) -> int:
    statement = (
        update(StaffSessionRow)
        .where(StaffSessionRow.staff_id == staff_id, StaffSessionRow.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return (await tx.execute(statement)).rowcount


async def delete_sessions_before(tx: Tx, floor: datetime) -> int:
    statement = delete(StaffSessionRow).where(StaffSessionRow.expires_at < floor)
    return (await tx.execute(statement)).rowcount


async def insert_staff(tx: Tx, new: NewStaff, now: datetime, *, only_without_admin: bool = False) -> bool:
    """False when the name is taken (or, for the first administrator, when there is an administrator)."""
    values = {
        "id": new.id,
        "username": new.username,
        "password_hash": new.password_hash,
        "roles": [role.value for role in new.roles],
        "institution_id": new.institution_id,
        "hospital_id": new.hospital_id,
        "created_at": now,
    }
    columns = [getattr(StaffRow, name) for name in values]
    source = select(
        *(literal(value, column.type) for value, column in zip(values.values(), columns, strict=True))
    )
    if only_without_admin:
        source = source.where(~_is_admin().exists())
    statement = (
        postgresql.insert(StaffRow)
        .from_select(list(values), source)
        .on_conflict_do_nothing(index_elements=["username"])
        .returning(StaffRow.id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def has_admin(tx: Tx) -> bool:
    return (await tx.execute(_is_admin().limit(1))).one_or_none() is not None


def _is_admin() -> Any:  # noqa: ANN401 - a select of the one or the other column type
    return select(StaffRow.id).where(StaffRow.roles.contains([Role.ADMIN.value]))


def _filtered(statement: Select[*tuple[Any, ...]], wanted: Wanted) -> Select[*tuple[Any, ...]]:
    if wanted.q:
        statement = statement.where(StaffRow.username.contains(wanted.q, autoescape=True))
    if wanted.role is not None:
        statement = statement.where(StaffRow.roles.contains([wanted.role.value]))
    if wanted.disabled is not None:
        gone = StaffRow.disabled_at.is_not(None)
        statement = statement.where(gone if wanted.disabled else ~gone)
    return statement


async def count(tx: Tx, wanted: Wanted) -> int:
    counted = _filtered(select(func.count()).select_from(StaffRow), wanted)
    return int((await tx.execute(counted)).scalar_one())


async def page(tx: Tx, wanted: Wanted, *, limit: int, after: tuple[datetime, UUID] | None) -> list[Account]:
    """Staff that fit, the newest first."""
    statement = _filtered(select(*_ACCOUNT), wanted)
    if after is not None:
        statement = statement.where(tuple_(StaffRow.created_at, StaffRow.id) < after)
    statement = statement.order_by(StaffRow.created_at.desc(), StaffRow.id.desc()).limit(limit)
    return [_account(row) for row in await tx.execute(statement)]


async def account(tx: Tx, staff_id: UUID) -> Account | None:
    row = (await tx.execute(select(*_ACCOUNT).where(StaffRow.id == staff_id))).one_or_none()
    return None if row is None else _account(row)


async def lock_with_admins(tx: Tx, staff_id: UUID) -> dict[UUID, Account]:
    """This staff member and every administrator who is not disabled, locked in the order of their ids.

    Two administrators who disable each other at once meet here: the second finds itself disabled.
    """
    statement = (
        select(*_ACCOUNT)
        .where(
            (StaffRow.id == staff_id)
            | (StaffRow.roles.contains([Role.ADMIN.value]) & StaffRow.disabled_at.is_(None))
        )
        .order_by(StaffRow.id)
        .with_for_update()
    )
    return {row.id: _account(row) for row in await tx.execute(statement)}


async def disable(tx: Tx, staff_id: UUID, now: datetime) -> None:
    await tx.execute(update(StaffRow).where(StaffRow.id == staff_id).values(disabled_at=now))


async def change_roles(tx: Tx, staff_id: UUID, bound: Bound) -> None:
    values = {
        "roles": [role.value for role in bound.roles],
        "institution_id": bound.institution_id,
        "hospital_id": bound.hospital_id,
    }
    await tx.execute(update(StaffRow).where(StaffRow.id == staff_id).values(**values))


def _staff(row: Row[*tuple[Any, ...]]) -> Staff:
    return Staff(
        id=row.id,
        username=row.username,
        roles=frozenset(Role(role) for role in row.roles),
        institution_id=row.institution_id,
        hospital_id=row.hospital_id,
    )


def _account(row: Row[*tuple[Any, ...]]) -> Account:
    return Account(staff=_staff(row), created_at=row.created_at, disabled_at=row.disabled_at)
