"""A till: a terminal of an institution, driven by the client that we hand to POS vendors."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import httpx
from typing_extensions import override

from bench.simulator.platform import Platform
from shared.clients.terminal import Redemption, Reversal, TerminalClient, Verification


class _Wire(httpx.AsyncBaseTransport):
    """The client's requests over the simulator's own cheap connections."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        told = {
            name: request.headers[name]
            for name in ("Authorization", "Content-Type")
            if name in request.headers
        }
        path = request.url.raw_path.decode()
        try:
            answer = await self._platform.exchange(request.method, path, told, content)
        except (OSError, TimeoutError) as error:
            raise httpx.ReadError(str(error), request=request) from None
        return httpx.Response(answer.status, headers=dict(answer.headers), content=answer.body)


@dataclass(frozen=True, slots=True)
class Till:
    """`now` is the platform's time: in a demonstration the clock is moved."""

    client: TerminalClient
    now: Callable[[], datetime]

    @property
    def institution_id(self) -> str:
        return self.client.institution_id

    async def verify(self, voucher: str, bill_fen: int | None = None) -> Verification:
        return await self.client.verify(voucher, bill_fen)

    async def redeem(self, voucher: str, bill_fen: int | None = None) -> Redemption:
        return await self.client.redeem(voucher, bill_fen)

    async def reverse(self, original_request_no: str, reason: str) -> Reversal:
        return await self.client.reverse(original_request_no, reason)


async def activated(
    platform: Platform, activation_code: str, *, device_id: str, now: Callable[[], datetime]
) -> Till:
    """Activates a terminal with the code that staff made for it."""
    http = httpx.AsyncClient(transport=_Wire(platform), base_url="http://platform")
    return Till(await TerminalClient.activate(http, activation_code, device_id, now=now), now)
