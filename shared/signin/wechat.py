"""WeChat mini-programs: code2Session (`/sns/jscode2session`).

Its `session_key` is neither kept nor passed on: whoever has it can read what the app encrypts.
"""

import structlog

from shared.errors import Busy, TooManyRequests
from shared.signin.errors import SignInCodeInvalid, SignInRefused
from shared.signin.outside import Outside

log = structlog.get_logger(__name__)

# errcode: code not valid; code used before.
_INVALID = frozenset({40029, 40163})
# errcode: more than 100 calls for this user within a minute.
_TOO_OFTEN = 45011
_TOO_OFTEN_SECONDS = 60
# errcode: WeChat holds the user for high-risk and wants it kept out.
_HIGH_RISK = 40226


class WeChat:
    def __init__(self, url: str, app_id: str, app_secret: str) -> None:
        self._wechat = Outside("wechat")
        self._url = url.rstrip("/") + "/sns/jscode2session"
        self._app_id = app_id
        self._app_secret = app_secret

    async def subject_of(self, code: str) -> str:
        """App id and openid: one person has another openid in every app."""
        query = {
            "appid": self._app_id,
            "secret": self._app_secret,
            "js_code": code,
            "grant_type": "authorization_code",
        }
        answer = await self._wechat.ask("GET", self._url, query=query)
        fault, openid = answer.get("errcode", 0), answer.get("openid")
        if fault in _INVALID:
            raise SignInCodeInvalid
        if fault == _TOO_OFTEN:
            raise TooManyRequests(retry_after_seconds=_TOO_OFTEN_SECONDS)
        if fault == _HIGH_RISK:
            log.warning("WeChat refused a high-risk user", errcode=fault)
            raise SignInRefused
        if fault or not isinstance(openid, str) or not openid:
            # -1: WeChat is busy. Others, such as 40125 (wrong secret), are for the operator to mend.
            log.error("WeChat did not name the user", errcode=fault)
            raise Busy
        return f"{self._app_id}/{openid}"

    async def close(self) -> None:
        await self._wechat.close()
