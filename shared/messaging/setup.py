"""The messengers that the settings switch on. Without any, people are told in their own inbox only."""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from shared.messaging.outside import Provider
from shared.messaging.sms import Credentials, SmsGateway
from shared.messaging.wechat import Templates, WeChatMessages
from shared.settings import Settings, SettingsMissing
from shared.signin.access import WeChatAccess

_TEMPLATES = TypeAdapter(Templates)


@dataclass(frozen=True, slots=True)
class Messengers:
    wechat: WeChatMessages | None = None
    sms: SmsGateway | None = None

    async def close(self) -> None:
        for messenger in (self.wechat, self.sms):
            if messenger is not None:
                await messenger.close()


def messengers_of(settings: Settings) -> Messengers:
    """Raises SettingsMissing when one is switched on and something that it needs is not set."""
    return Messengers(
        wechat=_wechat(settings) if settings.notice_wechat == "on" else None,
        sms=_sms(settings) if settings.notice_sms == "on" else None,
    )


def _wechat(settings: Settings) -> WeChatMessages:
    app_id, secret = settings.wechat_app_id, settings.wechat_app_secret
    if app_id is None or secret is None or settings.notice_wechat_templates is None:
        raise SettingsMissing(
            "set HV_WECHAT_APP_ID, HV_WECHAT_APP_SECRET and HV_NOTICE_WECHAT_TEMPLATES,"
            " or HV_NOTICE_WECHAT=off"
        )
    try:
        templates = _TEMPLATES.validate_json(settings.notice_wechat_templates)
    except ValidationError:
        raise SettingsMissing(
            "set HV_NOTICE_WECHAT_TEMPLATES to JSON such as"
            ' {"expiring": {"id": "…", "data": {"thing1": "name", "time2": "until"}}}'
        ) from None
    return WeChatMessages(
        url=settings.wechat_url,
        access=WeChatAccess(settings.wechat_url, app_id, secret.get_secret_value()),
        templates=templates,
        page=settings.notice_wechat_page,
        provider=Provider(settings.notice_timeout_seconds),
    )


def _sms(settings: Settings) -> SmsGateway:
    token, key_id, key = settings.notice_sms_token, settings.notice_sms_key_id, settings.notice_sms_key
    if settings.notice_sms_url is None or (token is None and (key_id is None or key is None)):
        raise SettingsMissing(
            "set HV_NOTICE_SMS_URL, and HV_NOTICE_SMS_TOKEN or HV_NOTICE_SMS_KEY_ID with HV_NOTICE_SMS_KEY,"
            " or HV_NOTICE_SMS=off"
        )
    credentials = Credentials(
        token=None if token is None else token.get_secret_value(),
        key_id=key_id,
        key=None if key is None else key.get_secret_value(),
    )
    return SmsGateway(settings.notice_sms_url, credentials, Provider(settings.notice_timeout_seconds))
