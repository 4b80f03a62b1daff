"""Signing in, and binding a person to an account: one natural person, one account."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.issuance.accounts import store
from services.issuance.accounts.errors import IdentityAlreadyBound, IdentityInUse
from services.issuance.accounts.rules import masked_id_number, masked_name
from services.issuance.accounts.schemas import CitizenView, Identity, IdentityBound, Session, Token
from services.issuance.accounts.store import Account, PersonalFields
from services.issuance.consents.operations import require_known_text
from services.issuance.consents.rules import Kind
from shared.clock import CHINA
from shared.crypto import bucket_of
from shared.db import Tx
from shared.errors import Unauthenticated, invariant
from shared.identity.citizens import Citizen, CitizenTokens
from shared.identity.lifetimes import citizen_token_life
from shared.identity.persons import IDENTITY_DOMAIN, person_context, resident_id
from shared.ids import new_id
from shared.kit import Kit
from shared.signin import Provider
from shared.signin.errors import ProviderUnavailable

_SUBJECT_DOMAIN = "account-subject"
_CONSENT_PURPOSE = "identity"
# The text that the form of the identity shows.
CONSENT_KIND: Kind = "privacy"


@dataclass(frozen=True, slots=True)
class Accounts:
    kit: Kit
    providers: Mapping[str, Provider]

    @asynccontextmanager
    async def connections(self) -> AsyncIterator[None]:
        """Closes the connections to the sign-in platforms at the end."""
        yield
        for provider in self.providers.values():
            await provider.close()

    async def sign_in(self, provider: str, code: str) -> Session:
        """A session of the account behind the code; the first time it gets an account and a person.

        Raises:
            ProviderUnavailable, or what the provider refuses.
        """
        platform = self.providers.get(provider)
        if platform is None:
            raise ProviderUnavailable
        # Asked before the transaction begins: nothing waits for another platform while it holds a lock.
        subject = await platform.subject_of(code)
        now = self.kit.clock.now()
        subject_hash = self.kit.keys.index.digest(_SUBJECT_DOMAIN, f"{provider}\n{subject}")
        async with self.kit.database.transaction() as tx:
            account = await store.account_of(tx, provider, subject_hash)
            if account is None:
                account = await self._first_account(tx, provider, subject, subject_hash, now)
        return Session(
            **self._token(account, now).model_dump(),
            citizen=CitizenView(id=account.id.hex, identity_verified=account.verified),
        )

    async def bind(self, citizen: Citizen, identity: Identity) -> IdentityBound:
        """Binds a natural person to the account; the same person again changes nothing.

        Raises:
            IdNumberInvalid, IdentityInUse, IdentityAlreadyBound, Unauthenticated (the account is gone).
            ConsentVersionUnknown: texts are published, and this is none of them.
        """
        now = self.kit.clock.now()
        number = resident_id(identity.id_number, now.astimezone(CHINA).date())
        identity_hash = self.kit.keys.index.digest(IDENTITY_DOMAIN, number)
        async with self.kit.database.transaction() as tx:
            account = await store.lock_account(tx, citizen.account_id)
            if account is None:
                raise Unauthenticated
            await require_known_text(tx, CONSENT_KIND, identity.consent_version, now)
            if account.verified:
                await _require_same_person(tx, account, identity_hash)
            else:
                account = await _take_identity(tx, account, identity_hash)
                await self._write_person(tx, account, name=identity.name, number=number, now=now)
            await store.record_consent(
                tx,
                account.id,
                purpose=_CONSENT_PURPOSE,
                version=identity.consent_version,
                how="identity_form",
                now=now,
            )
            name_masked = await store.name_masked_of(tx, account.bucket, account.person_id)
        moved = (account.bucket, account.person_id) != (citizen.bucket, citizen.person_id)
        return IdentityBound(
            name_masked=name_masked,
            id_number_masked=masked_id_number(number),
            session=self._token(account, now) if moved else None,
        )

    async def _first_account(
        self, tx: Tx, provider: str, subject: str, subject_hash: bytes, now: datetime
    ) -> Account:
        account = Account(id=new_id(), bucket=bucket_of(subject_hash), person_id=new_id(), verified=False)
        sealed = self.kit.keys.sealer.seal_text(subject, context=subject_context(account.id))
        former = await store.take_former_subject(tx, provider, subject_hash)
        if former is not None:
            # Erased before, and never identified: another account, the same limits.
            account = replace(account, bucket=former[0], person_id=former[1])
            await store.revive_person(tx, account.bucket, account.person_id)
            made = await store.insert_account(
                tx, account, provider=provider, subject_hash=subject_hash, subject_sealed=sealed, now=now
            )
            invariant(made, "a subject that was let go has no account")
            return account
        await store.insert_person(tx, account.bucket, account.person_id, now)
        if await store.insert_account(
            tx, account, provider=provider, subject_hash=subject_hash, subject_sealed=sealed, now=now
        ):
            return account
        # The same subject signed in twice at once: the other sign-in made the account.
        await store.delete_person(tx, account.bucket, account.person_id)
        known = await store.account_of(tx, provider, subject_hash)
        invariant(known is not None, "an account that conflicts exists")
        assert known is not None  # noqa: S101 - narrows the type; the invariant above already refused
        return known

    async def _write_person(self, tx: Tx, account: Account, *, name: str, number: str, now: datetime) -> None:
        sealer, person_id = self.kit.keys.sealer, account.person_id
        fields = PersonalFields(
            name_sealed=sealer.seal_text(name, context=person_context(person_id, "name")),
            id_number_sealed=sealer.seal_text(number, context=person_context(person_id, "id_number")),
            name_masked=masked_name(name),
        )
        await store.write_person(tx, account.bucket, account.person_id, fields, now)

    def _token(self, account: Account, now: datetime) -> Token:
        life = citizen_token_life(self.kit.settings)
        token = CitizenTokens(self.kit.keys.token).issue(
            account_id=account.id, bucket=account.bucket, person_id=account.person_id, now=now, life=life
        )
        return Token(access_token=token, expires_in=int(life.total_seconds()))


def subject_context(account_id: UUID) -> str:
    """What ties a sealed subject to its account."""
    return f"account/{account_id}/subject"


async def _require_same_person(tx: Tx, account: Account, identity_hash: bytes) -> None:
    holder = await store.holder_of(tx, identity_hash)
    if holder is not None and holder.account_id == account.id:
        return
    if holder is not None and holder.account_id is not None:
        raise IdentityInUse
    raise IdentityAlreadyBound


async def _take_identity(tx: Tx, account: Account, identity_hash: bytes) -> Account:
    """The account as it stands afterwards: for its own person, or for the one who was here before.

    What the account's former, unverified person had earned is left behind: nothing of it could be drawn,
    and whoever comes back must not bring a second day's attempts along.
    """
    if await store.take_new_identity(tx, identity_hash, account):
        return replace(account, verified=True)
    holder = await store.take_released_identity(tx, identity_hash, account.id)
    if holder is None:
        raise IdentityInUse
    await store.move_account(tx, account.id, bucket=holder.bucket, person_id=holder.person_id)
    return replace(account, bucket=holder.bucket, person_id=holder.person_id, verified=True)
