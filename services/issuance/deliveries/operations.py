"""Carrying notices to people: one attempt after another, and what waits for staff."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from services.issuance.accounts.operations import subject_context
from services.issuance.deliveries import store
from services.issuance.deliveries.rules import Channel, Situation, judged, later, repeated
from services.issuance.deliveries.store import Delivery
from services.issuance.notices import store as notices
from services.issuance.notices.rules import KINDS, Language, told
from services.issuance.notices.rules import Kind as NoticeKind
from services.issuance.notices.store import Entry
from services.issuance.phones.operations import Phones
from services.issuance.preferences import store as preferences
from services.issuance.preferences.store import NO_PREFERENCE, Preference
from shared.clock import machine_now
from shared.db import Tx
from shared.ids import HotId, parse_hot_id
from shared.jobs.kinds import Kind, Queue
from shared.kit import Kit
from shared.messaging import Message, Messenger, Outcome
from shared.messaging.setup import Messengers
from shared.messaging.wechat import Template
from shared.outbox import OutboxItem, add_many
from shared.outbox.store import renew
from shared.settings import SettingsMissing

RESUME_AT_ONCE = 500
# Token, message, both again: four waits of at most 8 s each.
ATTEMPT_LEASE = timedelta(seconds=40)


class NotDelivered(Exception):
    """An attempt that has to be made again; says no more than the provider's code."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that was recorded and is to be made. `repeats`: one before it had no answer."""

    delivery: Delivery
    owner: HotId
    kind: NoticeKind
    repeats: bool
    template: Template | None
    message: Message


@dataclass(frozen=True, slots=True)
class Deliveries:
    kit: Kit
    messengers: Messengers
    phones: Phones

    def __post_init__(self) -> None:
        """Raises SettingsMissing for a template of something that nobody is ever told."""
        unknown = sorted(set(self._templates) - set(KINDS))
        if unknown:
            names = ", ".join(unknown)
            raise SettingsMissing(f"HV_NOTICE_WECHAT_TEMPLATES names no kind of notice: {names}")

    @asynccontextmanager
    async def connections(self) -> AsyncIterator[None]:
        """Closes the connections to the providers at the end."""
        yield
        await self.messengers.close()

    async def plan(self, tx: Tx, added: Sequence[HotId]) -> None:
        """What new notices need beside the inbox, in the transaction that records them."""
        templates: dict[str, str] = {kind: template.id for kind, template in self._templates.items()}
        sms = self.messengers.sms is not None
        if not added or not (templates or sms):
            return
        now = self.kit.clock.now()
        await _send_out(tx, await store.plan(tx, added, templates=templates, sms=sms, now=now))

    async def deliver(self, item: OutboxItem) -> None:
        """One attempt. It is kept before it is made, so that a crash in between is known afterwards.

        Raises:
            NotDelivered: the attempt is to be made again, by the outbox.
        """
        attempt = await self._begin(item)
        if attempt is None:
            return
        messenger = self._messenger(attempt.delivery.channel)
        assert messenger is not None  # noqa: S101 - narrows the type; without one no attempt begins
        outcome = await messenger.send(attempt.message)
        if not await self._end(attempt, outcome):
            raise NotDelivered(f"{attempt.delivery.channel}: {outcome.became} {outcome.code}")

    async def resume(self) -> int:
        """Sends out what was put off until now; returns how many. Safe on any number of workers."""
        resumed = 0
        while True:
            async with self.kit.database.transaction() as tx:
                due = await store.resume(tx, now=self.kit.clock.now(), limit=RESUME_AT_ONCE)
                await _send_out(tx, due)
            if not due:
                return resumed
            resumed += len(due)

    async def _begin(self, item: OutboxItem) -> Attempt | None:
        """The attempt to make, recorded; None when there is none to make (now).

        Rows are carried one after the other: by its turn, another worker may have taken this one over.
        """
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            if not await renew(tx, item, lease_until=machine_now() + ATTEMPT_LEASE):
                return None
            delivery = await store.lock(tx, parse_hot_id(item.payload["delivery_id"]))
            if delivery is None:
                return None
            entry = await notices.entry(tx, HotId(delivery.bucket, delivery.notice_id))
            if entry is None:
                await store.move(tx, delivery, "skipped", now=now, outcome="no_longer_there")
                return None
            verdict = judged(_situation(delivery, entry), now)
            if verdict.state == "trying":
                attempt = await self._prepared(tx, delivery, entry, now)
                if isinstance(attempt, Attempt):
                    await store.move(tx, delivery, "trying", now=now)
                    return attempt
                await store.move(tx, delivery, "skipped", now=now, outcome=attempt)
                return None
            await store.move(
                tx,
                delivery,
                verdict.state,
                now=now,
                outcome=verdict.reason,
                not_before=verdict.not_before,
            )
        return None

    async def _prepared(self, tx: Tx, delivery: Delivery, entry: Entry, now: datetime) -> Attempt | str:
        """The attempt, or why there cannot be one."""
        owner = HotId(delivery.bucket, entry.person_id)
        preference = await preferences.preference(tx, owner) or NO_PREFERENCE
        if self._messenger(delivery.channel) is None:
            return "switched_off"
        kind, template = entry.facts.kind, None
        if delivery.channel == "sms":
            to = self._phone(preference, owner, kind)
        else:
            to = await self._openid(tx, owner)
            template = self._templates.get(kind)
        if to is None:
            return "no_address"
        unclear = delivery.state == "trying"
        if delivery.channel == "wechat":
            if template is None:
                return "no_template"
            # An attempt without an answer keeps the consent that it took.
            if not unclear and not await preferences.take_grant(
                tx, owner, template.id, once=template.once, now=now
            ):
                return "no_consent"
        language = cast("Language", preference.language)
        words = told(entry.facts, language)
        message = Message(
            id=str(delivery.address), to=to, kind=kind, language=language, text=words["text"], values=words
        )
        begun = replace(delivery, state="trying", attempts=delivery.attempts + 1)
        return Attempt(begun, owner, kind, repeats=unclear, template=template, message=message)

    async def _end(self, attempt: Attempt, outcome: Outcome) -> bool:
        """Keeps what became of it; False when the outbox has to try again."""
        now, delivery = self.kit.clock.now(), attempt.delivery
        channel = cast("Channel", delivery.channel)
        async with self.kit.database.transaction() as tx:
            match outcome.became:
                case "sent":
                    await store.move(tx, delivery, "sent", now=now, outcome=outcome.code)
                case "refused":
                    # WeChat counts: a repetition that it refuses may have arrived the first time.
                    state = "unknown" if attempt.repeats else "refused"
                    await store.move(tx, delivery, state, now=now, outcome=outcome.code)
                    if attempt.template is not None:
                        await preferences.drop_grants(tx, attempt.owner, attempt.template.id, now)
                case "later":
                    not_before = later(now, outcome.after_seconds)
                    if await store.move(
                        tx, delivery, "deferred", now=now, outcome=outcome.code, not_before=not_before
                    ):
                        await self._give_back(tx, attempt, now)
                case "failed":
                    if await store.move(tx, delivery, "waiting", now=now, outcome=outcome.code):
                        await self._give_back(tx, attempt, now)
                    return False
                case "unclear":
                    if repeated(channel, attempt.kind):
                        return False
                    await store.move(tx, delivery, "unknown", now=now, outcome=outcome.code)
        return True

    async def _give_back(self, tx: Tx, attempt: Attempt, now: datetime) -> None:
        """The consent that a message took which did not go out."""
        if attempt.template is not None and attempt.template.once:
            await preferences.return_grant(tx, attempt.owner, attempt.template.id, now)

    @property
    def _templates(self) -> dict[NoticeKind, Template]:
        wechat = self.messengers.wechat
        return {} if wechat is None else cast("dict[NoticeKind, Template]", dict(wechat.templates))

    def _messenger(self, channel: str) -> Messenger | None:
        return self.messengers.sms if channel == "sms" else self.messengers.wechat

    def _phone(self, preference: Preference, owner: HotId, kind: NoticeKind) -> str | None:
        """Where an SMS goes to; None when the person wants none (any more)."""
        if not preference.sms_enabled or preference.phone_sealed is None or kind not in preference.sms_kinds:
            return None
        return self.phones.opened(owner, preference.phone_sealed)

    async def _openid(self, tx: Tx, owner: HotId) -> str | None:
        """The person's name at our mini-program: one person has another in every app."""
        for account_id, sealed in await store.wechat_subjects(tx, owner):
            subject = self.kit.keys.sealer.open_text(sealed, context=subject_context(account_id))
            app_id, _, openid = subject.partition("/")
            if app_id == self.kit.settings.wechat_app_id and openid:
                return openid
        return None


def _situation(delivery: Delivery, entry: Entry) -> Situation:
    return Situation(
        channel=cast("Channel", delivery.channel),
        kind=entry.facts.kind,
        unclear=delivery.state == "trying",
        still_holds=entry.holds,
        until=entry.facts.until,
        timezone=entry.facts.timezone,
    )


async def _send_out(tx: Tx, deliveries: Sequence[HotId]) -> None:
    if deliveries:
        rows = [(address.bucket, {"delivery_id": str(address)}) for address in deliveries]
        await add_many(tx, Queue.ISSUANCE, Kind.NOTICE_DUE, rows)
