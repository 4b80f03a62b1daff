"""Showing that a phone is its owner's, before anything is sent there but the code that shows it."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, cast
from uuid import UUID

from services.issuance.phones import rules, store
from services.issuance.phones.store import Pending, Phone, Wanted
from services.issuance.preferences.rules import masked_phone
from shared.clock import CHINA
from shared.db import Tx
from shared.errors import TooManyRequests
from shared.ids import HotId, new_id, parse_hot_id
from shared.jobs.kinds import Kind, Queue
from shared.kit import Kit
from shared.messaging import Message
from shared.messaging.setup import Messengers
from shared.outbox import OutboxItem, add

_PHONE_DOMAIN = "notice-phone"
_CODE_DOMAIN, _PERSON_DOMAIN = "phone-code", "phone-code-person"


class NotSent(Exception):
    """An attempt that has to be made again; says no more than the provider's code."""


@dataclass(frozen=True, slots=True)
class Phones:
    kit: Kit
    messengers: Messengers

    def sealed(self, owner: HotId, phone: str) -> Phone:
        keys = self.kit.keys
        return Phone(
            sealed=keys.sealer.seal_text(phone, context=phone_context(owner)),
            hashed=keys.index.digest(_PHONE_DOMAIN, phone),
            masked=masked_phone(phone),
        )

    def opened(self, owner: HotId, sealed: bytes) -> str:
        return self.kit.keys.sealer.open_text(sealed, context=phone_context(owner))

    async def ask(self, tx: Tx, owner: HotId, phone: Phone, kinds: Sequence[str], language: str) -> None:
        """Has a code sent to the phone, in the caller's transaction.

        A phone that got as many as it may today gets none, and the answer is the same: what others asked for
        is nobody's business. Raises TooManyRequests for the person's own.
        """
        now = self.kit.clock.now()
        known = await store.pending(tx, owner, lock=True)
        if known is not None and _asked_just_now(known, phone, now):
            await store.set_kinds(tx, owner, kinds)
            return
        today = now.astimezone(CHINA).date()
        person = self.kit.keys.index.digest(_PERSON_DOMAIN, str(owner.uuid))
        if not await store.count(tx, person, today, most=rules.SENDS_PER_PERSON_AND_DAY):
            raise TooManyRequests(retry_after_seconds=_until_tomorrow(today, now))
        wanted = Wanted(new_id(), phone, kinds, language, now + rules.VALID_FOR)
        await store.keep(tx, owner, wanted, now)
        if await store.count(tx, phone.hashed, today, most=rules.SENDS_PER_PHONE_AND_DAY):
            told = {"person_id": str(owner), "code_id": str(wanted.id)}
            await add(tx, Queue.ISSUANCE, Kind.PHONE_CODE_ASKED, told, bucket=owner.bucket)

    async def tried(self, tx: Tx, owner: HotId, code: str) -> Pending | None:
        """The phone that the code confirms, locked; None for none. A wrong code counts with the commit."""
        now = self.kit.clock.now()
        found = await store.pending(tx, owner, lock=True)
        if found is None or found.expires_at <= now or found.tries >= rules.TRIES_MAX:
            return None
        if not hmac.compare_digest(self._code(owner, found.id), code):
            await store.miss(tx, owner)
            return None
        await store.confirm(tx, owner, now)
        return found

    async def send(self, item: OutboxItem) -> None:
        """Sends a code while it is good; the gateway knows repetitions by its id. Raises NotSent."""
        owner, code_id = parse_hot_id(item.payload["person_id"]), UUID(item.payload["code_id"])
        async with self.kit.database.snapshot() as tx:
            found = await store.pending(tx, owner)
        gone = found is None or found.id != code_id or found.expires_at <= self.kit.clock.now()
        if found is None or gone or found.confirmed_at is not None or self.messengers.sms is None:
            return
        code = self._code(owner, found.id)
        text = rules.message_text(code, cast("Literal['zh', 'en']", found.language))
        message = Message(
            id=str(HotId(owner.bucket, found.id)),
            to=self.opened(owner, found.sealed),
            kind=rules.KIND,
            language=found.language,
            text=text,
            values={"code": code},
        )
        outcome = await self.messengers.sms.send(message)
        if outcome.became not in {"sent", "refused"}:
            raise NotSent(f"sms: {outcome.became} {outcome.code}")

    async def forget(self) -> None:
        """Forgets phones that were not confirmed in time, and yesterday's counters. Safe to run twice."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            # The day before is for clocks that disagree about midnight.
            await store.forget(tx, now, now.astimezone(CHINA).date() - timedelta(days=1))

    def _code(self, owner: HotId, code_id: UUID) -> str:
        return rules.code_of(self.kit.keys.index.digest(_CODE_DOMAIN, f"{owner.uuid}/{code_id}"))


def phone_context(owner: HotId) -> str:
    """What ties a sealed phone to its owner."""
    return f"notice_preference/{owner.uuid}/phone"


def _asked_just_now(known: Pending, phone: Phone, now: datetime) -> bool:
    return (
        known.hashed == phone.hashed
        and known.confirmed_at is None
        and now < known.asked_at + rules.AGAIN_AFTER
    )


def _until_tomorrow(today: date, now: datetime) -> int:
    midnight = datetime.combine(today + timedelta(days=1), time(), tzinfo=CHINA)
    return max(1, int((midnight - now).total_seconds()))
