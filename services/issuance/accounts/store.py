"""SQL of accounts and persons. Locks in this order: account, then identity."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.dialects import postgresql

from shared.db import Tx
from shared.identity.tables import AccountRow, FormerSubjectRow, PersonIdentityRow, PersonRow
from shared.ids import new_id

# Once for each account and text, and again by whoever had taken it back.
_CONSENT = text("""
    INSERT INTO core.consent (id, account_id, purpose, text_version, given_at, how)
    SELECT :id, a.id, :purpose, :version, :now, :how
    FROM core.account a
    WHERE a.id = :account_id
      AND (a.consent_withdrawn_at IS NOT NULL
           OR NOT EXISTS (SELECT FROM core.consent
                          WHERE account_id = a.id AND purpose = :purpose AND text_version = :version))
""")


@dataclass(frozen=True, slots=True)
class Account:
    """An account with the person that it stands for; `verified` when that person's identity is known."""

    id: UUID
    bucket: int
    person_id: UUID
    verified: bool


@dataclass(frozen=True, slots=True)
class Holder:
    """The person behind an identity, and the account that holds it (None: let go)."""

    bucket: int
    person_id: UUID
    account_id: UUID | None


@dataclass(frozen=True, slots=True)
class PersonalFields:
    name_sealed: bytes
    id_number_sealed: bytes
    name_masked: str


_ACCOUNT = (
    AccountRow.id,
    AccountRow.bucket,
    AccountRow.person_id,
    PersonRow.verified_at.is_not(None).label("verified"),
)
_PERSON_OF_ACCOUNT = (AccountRow.bucket == PersonRow.bucket) & (AccountRow.person_id == PersonRow.id)


async def account_of(tx: Tx, provider: str, subject_hash: bytes) -> Account | None:
    """The account of a subject, None when it never signed in."""
    statement = (
        select(*_ACCOUNT)
        .join(PersonRow, _PERSON_OF_ACCOUNT)
        .where(AccountRow.provider == provider, AccountRow.subject_hash == subject_hash)
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Account(*row)


async def insert_person(tx: Tx, bucket: int, person_id: UUID, now: datetime) -> None:
    """A person of whom nothing but an account is known."""
    await tx.execute(insert(PersonRow).values(bucket=bucket, id=person_id, created_at=now))


async def delete_person(tx: Tx, bucket: int, person_id: UUID) -> None:
    """Only for a person that this transaction has made."""
    await tx.execute(delete(PersonRow).where(PersonRow.bucket == bucket, PersonRow.id == person_id))


async def insert_account(
    tx: Tx, account: Account, *, provider: str, subject_hash: bytes, subject_sealed: bytes, now: datetime
) -> bool:
    """False when the subject signed in elsewhere meanwhile; waits for a sign-in that is under way."""
    statement = (
        postgresql.insert(AccountRow)
        .values(
            id=account.id,
            provider=provider,
            subject_hash=subject_hash,
            subject_sealed=subject_sealed,
            bucket=account.bucket,
            person_id=account.person_id,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["provider", "subject_hash"])
        .returning(AccountRow.id)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def lock_account(tx: Tx, account_id: UUID) -> Account | None:
    """The live account, locked: what is bound to it changes in one request at a time.

    The person is read in a second statement: in the first it would be seen as it was before the wait.
    """
    live = (AccountRow.id == account_id) & AccountRow.erased_at.is_(None)
    if (await tx.execute(select(AccountRow.id).where(live).with_for_update())).one_or_none() is None:
        return None
    statement = select(*_ACCOUNT).join(PersonRow, _PERSON_OF_ACCOUNT).where(live)
    return Account(*(await tx.execute(statement)).one())


async def holder_of(tx: Tx, identity_hash: bytes) -> Holder | None:
    """Who has this identity, None when it was never seen."""
    statement = select(
        PersonIdentityRow.bucket, PersonIdentityRow.person_id, PersonIdentityRow.account_id
    ).where(PersonIdentityRow.identity_hash == identity_hash)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Holder(*row)


async def take_new_identity(tx: Tx, identity_hash: bytes, account: Account) -> bool:
    """True for the first account that ever brings this identity; of several at once one wins."""
    statement = (
        postgresql.insert(PersonIdentityRow)
        .values(
            identity_hash=identity_hash,
            bucket=account.bucket,
            person_id=account.person_id,
            account_id=account.id,
        )
        .on_conflict_do_nothing(index_elements=["identity_hash"])
        .returning(PersonIdentityRow.identity_hash)
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def take_released_identity(tx: Tx, identity_hash: bytes, account_id: UUID) -> Holder | None:
    """The person whose identity nobody held any more and this account holds now; None when it is held."""
    statement = (
        update(PersonIdentityRow)
        .where(PersonIdentityRow.identity_hash == identity_hash, PersonIdentityRow.account_id.is_(None))
        .values(account_id=account_id)
        .returning(PersonIdentityRow.bucket, PersonIdentityRow.person_id, PersonIdentityRow.account_id)
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Holder(*row)


async def move_account(tx: Tx, account_id: UUID, *, bucket: int, person_id: UUID) -> None:
    """From now on the account stands for this person; whom it leaves behind is remembered."""
    await tx.execute(
        update(AccountRow)
        .where(AccountRow.id == account_id)
        .values(
            left_bucket=AccountRow.bucket,
            left_person_id=AccountRow.person_id,
            bucket=bucket,
            person_id=person_id,
        )
    )


async def write_person(tx: Tx, bucket: int, person_id: UUID, fields: PersonalFields, now: datetime) -> None:
    await tx.execute(
        update(PersonRow)
        .where(PersonRow.bucket == bucket, PersonRow.id == person_id)
        .values(
            name_sealed=fields.name_sealed,
            id_number_sealed=fields.id_number_sealed,
            name_masked=fields.name_masked,
            verified_at=now,
            erased_at=None,
        )
    )


async def name_masked_of(tx: Tx, bucket: int, person_id: UUID) -> str:
    statement = select(PersonRow.name_masked).where(PersonRow.bucket == bucket, PersonRow.id == person_id)
    return str((await tx.execute(statement)).scalar_one())


async def record_consent(
    tx: Tx, account_id: UUID, *, purpose: str, version: str, how: str, now: datetime
) -> None:
    """Writes it down, and lets a person who had taken consent back take part again. Locks the account."""
    values = {
        "id": new_id(),
        "account_id": account_id,
        "purpose": purpose,
        "version": version,
        "how": how,
        "now": now,
    }
    await tx.execute(_CONSENT, values)
    await tx.execute(
        update(AccountRow)
        .where(AccountRow.id == account_id, AccountRow.consent_withdrawn_at.is_not(None))
        .values(consent_withdrawn_at=None)
    )


async def take_former_subject(tx: Tx, provider: str, subject_hash: bytes) -> tuple[int, UUID] | None:
    """The person without an identity who erased this subject's account, for its next one; of several one."""
    statement = (
        delete(FormerSubjectRow)
        .where(FormerSubjectRow.provider == provider, FormerSubjectRow.subject_hash == subject_hash)
        .returning(FormerSubjectRow.bucket, FormerSubjectRow.person_id)
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else (row.bucket, row.person_id)


async def revive_person(tx: Tx, bucket: int, person_id: UUID) -> None:
    """The person is back, with its limits and nothing else."""
    await tx.execute(
        update(PersonRow).where(PersonRow.bucket == bucket, PersonRow.id == person_id).values(erased_at=None)
    )
