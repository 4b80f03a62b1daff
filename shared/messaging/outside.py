"""One POST to a provider, and what its failure means for the message."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.messaging import Outcome

# The connection was never there, so nothing can have gone out.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_SERVER_FAULT = 500


@dataclass(slots=True)
class Provider:
    """Connections to a provider; opened on first use and kept. `seconds` bounds each wait of one call."""

    seconds: float
    _client: httpx.AsyncClient | None = field(default=None, init=False)

    async def post(
        self,
        url: str,
        content: bytes,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response | Outcome:
        """The answer below 500, or what it means that there was none.

        The error's text may hold an address with a secret: only its kind is kept.
        """
        timeout = httpx.Timeout(self.seconds)
        client = self._client = self._client or httpx.AsyncClient(timeout=timeout, follow_redirects=False)
        sent = {"Content-Type": "application/json", **(headers or {})}
        try:
            response = await client.post(url, content=content, params=query, headers=sent)
        except _NEVER_SENT as error:
            return Outcome("failed", type(error).__name__)
        except httpx.HTTPError as error:
            return Outcome("unclear", type(error).__name__)
        if response.status_code >= _SERVER_FAULT:
            return Outcome("unclear", f"http_{response.status_code}")
        return response

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def object_of(response: httpx.Response) -> dict[str, Any] | None:
    """The JSON object that was answered, None for anything else."""
    try:
        answer = response.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None
