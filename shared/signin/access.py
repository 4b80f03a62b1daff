"""WeChat's access token, which every call of the platform itself carries (`/cgi-bin/stable_token`).

The stable form answers every process with the same token, so that none makes another's invalid.
"""

import asyncio

import structlog

from shared.clock import machine_seconds
from shared.errors import Busy
from shared.signin.outside import Outside

log = structlog.get_logger(__name__)

# Asked for anew so long before it ends: WeChat lets the old and the new one overlap by five minutes.
_MARGIN_SECONDS = 240


class WeChatAccess:
    def __init__(self, url: str, app_id: str, app_secret: str) -> None:
        self._wechat = Outside("wechat")
        self._url = url.rstrip("/") + "/cgi-bin/stable_token"
        self._app_id = app_id
        self._app_secret = app_secret
        self._token = ""
        self._good_until = 0.0
        self._one_at_a_time = asyncio.Lock()

    async def token(self) -> str:
        """The token in force, remembered until shortly before its end. Raises Busy."""
        async with self._one_at_a_time:
            if machine_seconds() >= self._good_until:
                await self._ask()
            return self._token

    async def renewed(self, stale: str) -> str:
        """Another token than the one that WeChat would not take. Raises Busy.

        Asked in the ordinary way first: forcing a new one is allowed a few times a day only.
        """
        async with self._one_at_a_time:
            if self._token == stale:
                await self._ask()
            if self._token == stale:
                await self._ask(force=True)
            return self._token

    async def close(self) -> None:
        await self._wechat.close()

    async def _ask(self, *, force: bool = False) -> None:
        body = {
            "grant_type": "client_credential",
            "appid": self._app_id,
            "secret": self._app_secret,
            "force_refresh": force,
        }
        answer = await self._wechat.ask("POST", self._url, json=body)
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(seconds, int):
            # 40125 (wrong secret), 40164 (address not allowed) and the like are for the operator to mend.
            log.error("WeChat gave no access token", errcode=answer.get("errcode"))
            raise Busy
        self._token, self._good_until = token, machine_seconds() + seconds - _MARGIN_SECONDS
