"""SQL of payees' accounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, insert, select, text

from services.redemption.institutions.tables import InstitutionRow
from services.redemption.payees.rules import Details
from services.redemption.payees.tables import PayeeAccountRow
from shared.db import Tx

# A version begins after the one before it and after whatever was paid to that one, so that the moment of a
# payment tells its account; a clock that stands still changes nothing about it.
_APPROVE = text("""
    UPDATE redemption.payee_account AS account
    SET version = latest.version + 1, change_id = :change_id,
        effective_from = greatest(
            CAST(:now AS timestamptz), latest.effective_from + interval '1 microsecond',
            (SELECT max(paid_at) + interval '1 microsecond' FROM redemption.settlement
             WHERE institution_id = account.institution_id))
    FROM (SELECT coalesce(max(version), 0) AS version, max(effective_from) AS effective_from
          FROM redemption.payee_account
          WHERE institution_id = (SELECT institution_id FROM redemption.payee_account WHERE id = :id)
         ) AS latest
    WHERE account.id = :id AND account.version IS NULL
""")


@dataclass(frozen=True, slots=True)
class Account:
    """A version of an institution's account, as it may be shown."""

    id: UUID
    institution_id: str
    version: int
    masked: Details
    effective_from: datetime
    change_id: UUID
    sealed: bytes


async def institution_name(tx: Tx, institution_id: str) -> str | None:
    """None for one that does not exist, or was closed."""
    statement = select(InstitutionRow.name).where(
        InstitutionRow.id == institution_id, InstitutionRow.status != "closed"
    )
    return (await tx.execute(statement)).scalar_one_or_none()


async def lock_institution(tx: Tx, institution_id: str, *, shared: bool) -> bool:
    """An account is approved by one at a time, and not while somebody is paid (who shares the lock)."""
    statement = select(InstitutionRow.id).where(InstitutionRow.id == institution_id)
    statement = statement.with_for_update(read=shared, key_share=not shared)
    return (await tx.execute(statement)).one_or_none() is not None


async def insert_proposed(tx: Tx, values: dict[str, Any]) -> None:
    await tx.execute(insert(PayeeAccountRow).values(values))


async def approve(tx: Tx, account_id: UUID, *, change_id: UUID, now: datetime) -> None:
    """It is in force from now on; the caller has locked the institution."""
    await tx.execute(_APPROVE, {"id": account_id, "change_id": change_id, "now": now})


async def in_force(tx: Tx, institution_ids: Sequence[str]) -> dict[str, Account]:
    """By institution; one without an account is not in it."""
    # The last version of each stays; a handful was ever approved.
    statement = _accounts().where(PayeeAccountRow.institution_id.in_(institution_ids))
    statement = statement.order_by(PayeeAccountRow.version)
    return {account.institution_id: account for account in map(_account, await tx.execute(statement))}


async def by_ids(tx: Tx, account_ids: Sequence[UUID]) -> dict[UUID, Account]:
    """Versions that were approved at some time."""
    statement = _accounts().where(PayeeAccountRow.id.in_(account_ids))
    return {account.id: account for account in map(_account, await tx.execute(statement))}


async def versions(tx: Tx, institution_id: str) -> list[Account]:
    """The one in force first."""
    statement = _accounts().where(PayeeAccountRow.institution_id == institution_id)
    statement = statement.order_by(PayeeAccountRow.version.desc())
    return [_account(row) for row in await tx.execute(statement)]


async def proposed(tx: Tx, institution_id: str, account_id: UUID) -> bytes | None:
    """The sealed details of any account of the institution, also of one that waits for approval."""
    statement = select(PayeeAccountRow.details_sealed).where(
        PayeeAccountRow.id == account_id, PayeeAccountRow.institution_id == institution_id
    )
    return (await tx.execute(statement)).scalar_one_or_none()


def _accounts() -> Select[*tuple[Any, ...]]:
    return select(
        PayeeAccountRow.id,
        PayeeAccountRow.institution_id,
        PayeeAccountRow.version,
        PayeeAccountRow.account_name_masked,
        PayeeAccountRow.bank_name_masked,
        PayeeAccountRow.account_number_masked,
        PayeeAccountRow.effective_from,
        PayeeAccountRow.change_id,
        PayeeAccountRow.details_sealed,
    ).where(PayeeAccountRow.version.is_not(None))


def _account(row: Any) -> Account:  # noqa: ANN401 - a row of `_accounts`
    return Account(
        id=row.id,
        institution_id=row.institution_id,
        version=row.version,
        masked=Details(row.account_name_masked, row.bank_name_masked, row.account_number_masked),
        effective_from=row.effective_from,
        change_id=row.change_id,
        sealed=row.details_sealed,
    )
