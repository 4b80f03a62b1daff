"""SQL of second factors and recovery codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects import postgresql

from shared.db import Tx
from shared.identity.tables import StaffFactorRow, StaffRecoveryCodeRow


@dataclass(frozen=True, slots=True)
class StoredFactor:
    secret_sealed: bytes
    confirmed_at: datetime | None
    last_step: int | None


_FACTOR = (StaffFactorRow.secret_sealed, StaffFactorRow.confirmed_at, StaffFactorRow.last_step)


async def factor(tx: Tx, staff_id: UUID) -> StoredFactor | None:
    row = (await tx.execute(select(*_FACTOR).where(StaffFactorRow.staff_id == staff_id))).one_or_none()
    return None if row is None else StoredFactor(*row)


async def with_factor(tx: Tx, staff_ids: Sequence[UUID]) -> set[UUID]:
    """Those whose second factor is on."""
    statement = select(StaffFactorRow.staff_id).where(
        StaffFactorRow.staff_id.in_(staff_ids), StaffFactorRow.confirmed_at.is_not(None)
    )
    return set((await tx.execute(statement)).scalars())


async def lock_factor(tx: Tx, staff_id: UUID) -> StoredFactor | None:
    """Locked: of several codes at once each is judged after the one before it."""
    statement = select(*_FACTOR).where(StaffFactorRow.staff_id == staff_id).with_for_update()
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else StoredFactor(*row)


async def begin(tx: Tx, staff_id: UUID, secret_sealed: bytes, now: datetime) -> bool:
    """Puts a new secret in the place of one that was not confirmed; False when one is confirmed."""
    values = {"secret_sealed": secret_sealed, "begun_at": now, "last_step": None}
    statement = (
        postgresql.insert(StaffFactorRow)
        .values(staff_id=staff_id, **values)
        .on_conflict_do_update(
            index_elements=["staff_id"], set_=values, where=StaffFactorRow.confirmed_at.is_(None)
        )
        .returning(StaffFactorRow.staff_id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def spend_step(tx: Tx, staff_id: UUID, step: int) -> None:
    await tx.execute(update(StaffFactorRow).where(StaffFactorRow.staff_id == staff_id).values(last_step=step))


async def confirm(tx: Tx, staff_id: UUID, step: int, now: datetime) -> None:
    await tx.execute(
        update(StaffFactorRow)
        .where(StaffFactorRow.staff_id == staff_id)
        .values(confirmed_at=now, last_step=step)
    )


async def remove(tx: Tx, staff_id: UUID) -> bool:
    """The factor with its recovery codes; False when there was no confirmed one."""
    await tx.execute(delete(StaffRecoveryCodeRow).where(StaffRecoveryCodeRow.staff_id == staff_id))
    statement = (
        delete(StaffFactorRow)
        .where(StaffFactorRow.staff_id == staff_id, StaffFactorRow.confirmed_at.is_not(None))
        .returning(StaffFactorRow.staff_id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def keep_recovery_codes(tx: Tx, staff_id: UUID, code_hashes: Sequence[bytes]) -> None:
    rows = [{"staff_id": staff_id, "code_hash": code_hash} for code_hash in code_hashes]
    await tx.execute(insert(StaffRecoveryCodeRow), rows)


async def use_recovery_code(tx: Tx, staff_id: UUID, code_hash: bytes, now: datetime) -> bool:
    """False when it is unknown or was used."""
    statement = (
        update(StaffRecoveryCodeRow)
        .where(
            StaffRecoveryCodeRow.staff_id == staff_id,
            StaffRecoveryCodeRow.code_hash == code_hash,
            StaffRecoveryCodeRow.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(StaffRecoveryCodeRow.staff_id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def recovery_codes_left(tx: Tx, staff_id: UUID) -> int:
    statement = select(func.count()).where(
        StaffRecoveryCodeRow.staff_id == staff_id, StaffRecoveryCodeRow.used_at.is_(None)
    )
    return (await tx.execute(statement)).scalar_one()
