"""Asking another platform over HTTP: once, within seconds, and `Busy` for whatever is not an answer."""

from collections.abc import Mapping
from typing import Any, Literal

import httpx
import structlog

from shared.errors import Busy

log = structlog.get_logger(__name__)

# A citizen waits 5 s at the most (api.md); connection, question and answer must fit in.
_TIMEOUT = httpx.Timeout(3.5, connect=2.0)


class Outside:
    """The connections to one platform; opened on first use and kept, because each costs a handshake."""

    def __init__(self, platform: str) -> None:
        self._platform = platform
        self._client: httpx.AsyncClient | None = None

    async def ask(
        self,
        method: Literal["GET", "POST"],
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        json: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:
        """The platform's JSON answer. A sign-in code is good once, so nothing is asked a second time.

        Raises:
            Busy: no answer in time, an HTTP error, or an answer that is no JSON object.
        """
        client = self._client = self._client or httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False)
        try:
            response = await client.request(method, url, params=query, data=form, json=json)
            answer = response.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            # The error's text may hold the address with the app's secret: only its kind is logged.
            self._warn(type(error).__name__)
            raise Busy from None
        if not isinstance(answer, dict):
            self._warn("no object")
            raise Busy
        return answer

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _warn(self, error: str) -> None:
        log.warning("Sign-in platform did not answer", platform=self._platform, error=error)
