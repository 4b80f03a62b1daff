"""Who signs in, as another platform tells it: a code from its app becomes a subject that stays the same.

A subject is personal data: it is stored as a keyed hash and sealed, and never logged.
"""

from collections.abc import Mapping
from typing import Protocol

from shared.settings import Settings
from shared.signin.alipay import Alipay
from shared.signin.wechat import WeChat


class Provider(Protocol):
    async def subject_of(self, code: str) -> str:
        """The stable name of whoever the code was given to.

        Raises:
            SignInCodeInvalid, SignInRefused, TooManyRequests, or Busy when the platform cannot say.
        """
        ...

    async def close(self) -> None:
        """Gives up the connections to the platform."""
        ...


class Demo:
    """Demonstration only: any code is a person, the same code the same one."""

    async def subject_of(self, code: str) -> str:
        return code

    async def close(self) -> None:
        """There is no platform behind it."""


def providers_of(settings: Settings) -> Mapping[str, Provider]:
    """The ways of signing in that are set up. Raises SettingsMissing for a key that cannot be read."""
    providers: dict[str, Provider] = {}
    if settings.demo:
        providers["demo"] = Demo()
    if settings.wechat_app_id and settings.wechat_app_secret:
        secret = settings.wechat_app_secret.get_secret_value()
        providers["wechat"] = WeChat(settings.wechat_url, settings.wechat_app_id, secret)
    if settings.alipay_app_id and settings.alipay_private_key:
        key = settings.alipay_private_key.get_secret_value()
        providers["alipay"] = Alipay(settings.alipay_url, settings.alipay_app_id, key)
    return providers
