"""Carrying notices to people: who wants what, one attempt after another, and what waits for staff."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from services.issuance.accounts.operations import subject_context
from services.issuance.deliveries import store
from services.issuance.deliveries.errors import SmsNotOffered
from services.issuance.deliveries.rules import (
    Channel,
    Situation,
    judged,
    later,
    masked_phone,
    repeated,
    sms_kinds,
)
from services.issuance.deliveries.schemas import (
    DeadLetter,
    GrantsReported,
    PreferencesView,
    PreferencesWanted,
    Retried,
    SmsView,
    SmsWanted,
    TemplateView,
    WeChatView,
)
from services.issuance.deliveries.store import Delivery, Phone, Preference
from services.issuance.notices import store as notices
from services.issuance.notices.rules import KINDS, Language, told
from services.issuance.notices.rules import Kind as NoticeKind
from services.issuance.notices.store import Entry
from shared.audit import AuditEntry, record
from shared.clock import machine_now, rfc3339
from shared.db import Tx
from shared.errors import Fault, InvalidRequest, NotFound, Unauthenticated
from shared.idempotency import Answer, RequestKey, fingerprint, once
from shared.identity.citizens import Citizen
from shared.identity.staff import Staff
from shared.identity.store import hold_account
from shared.ids import HotId, parse_hot_id
from shared.jobs.kinds import Kind, Queue
from shared.kit import Kit
from shared.messaging import Message, Messenger, Outcome
from shared.messaging.setup import Messengers
from shared.messaging.wechat import Template
from shared.outbox import OutboxItem, add_many
from shared.outbox.store import DeadRow, dead_page, renew, revive
from shared.settings import SettingsMissing

RESUME_AT_ONCE = 500
# Token, message, both again: four waits of at most 8 s each.
ATTEMPT_LEASE = timedelta(seconds=40)
# More would be somebody who plays with the button: WeChat shows at most one question at a time.
GRANTS_MAX = 100
NOTICE_JOBS = (
    Kind.NOTICE_DUE,
    Kind.VOUCHER_ISSUED,
    Kind.VOUCHER_REDEEMED,
    Kind.VOUCHER_RESTORED,
    Kind.VOUCHER_REVOKED,
    Kind.ACTIVITY_DECIDED,
)
_PHONE_DOMAIN = "notice-phone"
_DEFAULT = Preference("zh", sms_enabled=False, sms_kinds=[], phone_sealed=None, phone_masked=None)


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

    async def preferences(self, citizen: Citizen) -> PreferencesView:
        async with self.kit.database.snapshot() as tx:
            return await self._view(tx, _owner(citizen))

    async def set_preferences(self, citizen: Citizen, wanted: PreferencesWanted) -> PreferencesView:
        """Raises SmsNotOffered, InvalidRequest (SMS without a phone)."""
        owner = _owner(citizen)
        async with self.kit.database.transaction() as tx:
            await _require_account(tx, citizen)
            known = await store.lock_preference(tx, owner, self.kit.clock.now())
            if wanted.language is not None:
                await store.set_language(tx, owner, wanted.language)
            if wanted.sms is not None:
                await self._set_sms(tx, owner, wanted.sms, known)
            return await self._view(tx, owner)

    async def report_grants(self, citizen: Citizen, reported: GrantsReported) -> Answer:
        """Counts what the person agreed to. Raises InvalidRequest for a template that is not ours."""
        owner, now = _owner(citizen), self.kit.clock.now()
        templates = {template.id: template for template in self._templates.values()}
        faults = [
            Fault(f"body.results.{name}", "没有这个消息模板", "template_unknown")
            for name in reported.results
            if name not in templates
        ]
        if faults:
            raise InvalidRequest(faults=tuple(faults))
        key = RequestKey(citizen.caller, "notice_grants", reported.request_no, fingerprint(reported.results))
        given: dict[str, int] = {}
        for name, result in reported.results.items():
            if result == "accept":
                given[name] = 1
            elif result == "ban" or not templates[name].once:
                given[name] = 0

        async with self.kit.database.transaction() as tx:
            await _require_account(tx, citizen)

            async def act() -> dict[str, Any]:
                if given:
                    await store.report_grants(tx, owner, given, most=GRANTS_MAX, now=now)
                return (await self._view(tx, owner)).model_dump(mode="json")

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def dead_letters(
        self, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> tuple[list[DeadLetter], tuple[datetime, UUID] | None]:
        """Notices that failed too often, newest first, and the place behind which the next page begins."""
        async with self.kit.database.snapshot() as tx:
            found = await dead_page(tx, NOTICE_JOBS, after=after, limit=limit + 1)
            carried = {row.id: _delivery_of(row) for row in found}
            about = await store.about(tx, [address for address in carried.values() if address is not None])
        views = []
        for row in found[:limit]:
            address = carried[row.id]
            what = None if address is None else about.get(address)
            voucher = None if what is None or what.voucher_id is None else HotId(row.bucket, what.voucher_id)
            views.append(
                DeadLetter(
                    id=str(HotId(row.bucket, row.id)),
                    job=row.kind,
                    notice_kind=None if what is None else what.kind,
                    channel=None if what is None else what.channel,
                    voucher_id=row.payload.get("voucher_id") if voucher is None else str(voucher),
                    attempts=row.attempt,
                    error=row.error,
                    created_at=rfc3339(row.created_at),
                )
            )
        last = found[limit - 1] if len(found) > limit else None
        return views, None if last is None else (last.created_at, last.id)

    async def retry(self, staff: Staff, letter: HotId, key: RequestKey | None) -> Answer:
        """Has a dead letter tried again. Raises NotFound: it is no dead letter (any more)."""
        now = self.kit.clock.now()

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                revived = await revive(tx, NOTICE_JOBS, letter.bucket, letter.uuid)
                if revived is None:
                    raise NotFound
                entry = AuditEntry(
                    staff.actor,
                    "notice.retry",
                    f"outbox:{letter}",
                    before={"state": "dead", "error": revived.error},
                    after={"state": "ready"},
                )
                await record(tx, entry, at=now)
                return Retried(id=str(letter), status="queued").model_dump()

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

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
        preference = await store.preference(tx, owner) or _DEFAULT
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
            if not unclear and not await store.take_grant(
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
                        await store.drop_grants(tx, attempt.owner, attempt.template.id, now)
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
            await store.return_grant(tx, attempt.owner, attempt.template.id, now)

    async def _set_sms(self, tx: Tx, owner: HotId, wanted: SmsWanted, known: Preference) -> None:
        if not wanted.enabled:
            await store.set_sms(tx, owner, [], None)
            return
        if self.messengers.sms is None:
            raise SmsNotOffered
        kept = cast("list[NoticeKind]", known.sms_kinds) if known.sms_enabled else None
        kinds = sms_kinds(wanted.kinds if wanted.kinds is not None else kept)
        if wanted.phone is not None:
            keys = self.kit.keys
            phone = Phone(
                sealed=keys.sealer.seal_text(wanted.phone, context=phone_context(owner)),
                hashed=keys.index.digest(_PHONE_DOMAIN, wanted.phone),
                masked=masked_phone(wanted.phone),
            )
            await store.set_sms(tx, owner, kinds, phone)
        elif known.phone_sealed is not None:
            await store.keep_sms(tx, owner, kinds)
        else:
            fault = Fault("body.sms.phone", "请填写接收短信的手机号码", "phone_missing")
            raise InvalidRequest(faults=(fault,))

    async def _view(self, tx: Tx, owner: HotId) -> PreferencesView:
        kept = await store.preference(tx, owner) or _DEFAULT
        grants = await store.grants(tx, owner)
        by_id: dict[str, TemplateView] = {}
        for kind, template in self._templates.items():
            left = grants.get(template.id, 0)
            view = by_id.setdefault(
                template.id,
                TemplateView(template_id=template.id, kinds=[], once=template.once, grants_left=left),
            )
            view.kinds.append(kind)
        return PreferencesView(
            language=cast("Language", kept.language),
            sms=SmsView(
                available=self.messengers.sms is not None,
                enabled=kept.sms_enabled,
                phone_masked=kept.phone_masked,
                kinds=sms_kinds(cast("list[NoticeKind]", kept.sms_kinds)),
            ),
            wechat=WeChatView(available=self.messengers.wechat is not None, templates=list(by_id.values())),
        )

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
        return self.kit.keys.sealer.open_text(preference.phone_sealed, context=phone_context(owner))

    async def _openid(self, tx: Tx, owner: HotId) -> str | None:
        """The person's name at our mini-program: one person has another in every app."""
        for account_id, sealed in await store.wechat_subjects(tx, owner):
            subject = self.kit.keys.sealer.open_text(sealed, context=subject_context(account_id))
            app_id, _, openid = subject.partition("/")
            if app_id == self.kit.settings.wechat_app_id and openid:
                return openid
        return None


def _owner(citizen: Citizen) -> HotId:
    return HotId(citizen.bucket, citizen.person_id)


async def _require_account(tx: Tx, citizen: Citizen) -> None:
    """Before anything else: what is kept after its person was erased would stay for ever."""
    if await hold_account(tx, citizen.account_id) is None:
        raise Unauthenticated


def phone_context(owner: HotId) -> str:
    """What ties a sealed phone to its owner."""
    return f"notice_preference/{owner.uuid}/phone"


def _situation(delivery: Delivery, entry: Entry) -> Situation:
    return Situation(
        channel=cast("Channel", delivery.channel),
        kind=entry.facts.kind,
        unclear=delivery.state == "trying",
        still_holds=entry.holds,
        until=entry.facts.until,
        timezone=entry.facts.timezone,
    )


def _delivery_of(row: DeadRow) -> HotId | None:
    address = row.payload.get("delivery_id")
    return None if address is None else parse_hot_id(address)


async def _send_out(tx: Tx, deliveries: Sequence[HotId]) -> None:
    if deliveries:
        rows = [(address.bucket, {"delivery_id": str(address)}) for address in deliveries]
        await add_many(tx, Queue.ISSUANCE, Kind.NOTICE_DUE, rows)
