"""How people want to be told beside their inbox: language, SMS to a phone of theirs, WeChat consents."""

from dataclasses import dataclass
from typing import Any, cast

from services.issuance.notices.rules import Kind as NoticeKind
from services.issuance.notices.rules import Language
from services.issuance.phones import store as phone_codes
from services.issuance.phones.errors import PhoneCodeInvalid
from services.issuance.phones.operations import Phones
from services.issuance.preferences import store
from services.issuance.preferences.errors import SmsNotOffered
from services.issuance.preferences.rules import sms_kinds
from services.issuance.preferences.schemas import (
    GrantsReported,
    PendingView,
    PreferencesView,
    PreferencesWanted,
    SmsView,
    SmsWanted,
    TemplateView,
    WeChatView,
)
from services.issuance.preferences.store import NO_PREFERENCE, Preference
from shared.clock import rfc3339
from shared.db import Tx
from shared.errors import Fault, InvalidRequest, Unauthenticated
from shared.idempotency import Answer, RequestKey, fingerprint, once
from shared.identity.citizens import Citizen
from shared.identity.store import hold_account
from shared.ids import HotId
from shared.kit import Kit
from shared.messaging.setup import Messengers
from shared.messaging.wechat import Template

# More would be somebody who plays with the button: WeChat shows at most one question at a time.
GRANTS_MAX = 100


@dataclass(frozen=True, slots=True)
class Preferences:
    kit: Kit
    messengers: Messengers
    phones: Phones

    async def view(self, citizen: Citizen) -> PreferencesView:
        async with self.kit.database.snapshot() as tx:
            return await self._view(tx, _owner(citizen))

    async def set(self, citizen: Citizen, wanted: PreferencesWanted) -> PreferencesView:
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

    async def confirm_phone(self, citizen: Citizen, code: str) -> PreferencesView:
        """SMS on, to the phone that got this code; the same again answers again. Raises PhoneCodeInvalid."""
        owner = _owner(citizen)
        async with self.kit.database.transaction() as tx:
            await _require_account(tx, citizen)
            await store.lock_preference(tx, owner, self.kit.clock.now())
            confirmed = await self.phones.tried(tx, owner, code)
            if confirmed is not None:
                await store.set_sms(tx, owner, confirmed.kinds, confirmed.phone)
            view = await self._view(tx, owner)
        # After the commit: a wrong try counts.
        if confirmed is None:
            raise PhoneCodeInvalid
        return view

    async def _set_sms(self, tx: Tx, owner: HotId, wanted: SmsWanted, known: Preference) -> None:
        if not wanted.enabled:
            await store.set_sms(tx, owner, [], None)
            await phone_codes.drop(tx, owner)
            return
        if self.messengers.sms is None:
            raise SmsNotOffered
        kept = cast("list[NoticeKind]", known.sms_kinds) if known.sms_enabled else None
        kinds = sms_kinds(wanted.kinds if wanted.kinds is not None else kept)
        phone = None if wanted.phone is None else self.phones.sealed(owner, wanted.phone)
        if phone is not None and phone.hashed != known.phone_hash:
            # Until it is confirmed nothing goes there; what goes to a confirmed one goes on.
            language = (await store.preference(tx, owner) or NO_PREFERENCE).language
            await self.phones.ask(tx, owner, phone, kinds, language)
        elif known.phone_sealed is not None:
            await store.keep_sms(tx, owner, kinds)
        else:
            fault = Fault("body.sms.phone", "请填写接收短信的手机号码", "phone_missing")
            raise InvalidRequest(faults=(fault,))

    async def _view(self, tx: Tx, owner: HotId) -> PreferencesView:
        kept = await store.preference(tx, owner) or NO_PREFERENCE
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
                pending=await self._pending(tx, owner),
                kinds=sms_kinds(cast("list[NoticeKind]", kept.sms_kinds)),
            ),
            wechat=WeChatView(available=self.messengers.wechat is not None, templates=list(by_id.values())),
        )

    async def _pending(self, tx: Tx, owner: HotId) -> PendingView | None:
        found = await phone_codes.pending(tx, owner)
        if found is None or found.confirmed_at is not None or found.expires_at <= self.kit.clock.now():
            return None
        return PendingView(phone_masked=found.masked, expires_at=rfc3339(found.expires_at))

    @property
    def _templates(self) -> dict[NoticeKind, Template]:
        wechat = self.messengers.wechat
        return {} if wechat is None else cast("dict[NoticeKind, Template]", dict(wechat.templates))


def _owner(citizen: Citizen) -> HotId:
    return HotId(citizen.bucket, citizen.person_id)


async def _require_account(tx: Tx, citizen: Citizen) -> None:
    """Before anything else: what is kept after its person was erased would stay for ever."""
    if await hold_account(tx, citizen.account_id) is None:
        raise Unauthenticated
