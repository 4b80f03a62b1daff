"""A transport of httpx to an ASGI application of this process: no network, and answers in parts.

httpx's own keeps a whole answer in memory; this one hands on a part when it is asked for it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias, cast

import anyio
import httpx
from typing_extensions import override

Message: TypeAlias = MutableMapping[str, Any]
App: TypeAlias = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class InProcess(httpx.AsyncBaseTransport):
    """The address in `X-Forwarded-For` is taken as the caller's: only this process can send it here."""

    def __init__(self, app: App) -> None:
        self._app = app

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange(self._app, request)
        try:
            return await exchange.begun()
        except BaseException:
            await exchange.aclose()
            raise


class _Exchange(httpx.AsyncByteStream):
    """One request and its answer. The application runs in a task, and so in a context, of its own."""

    def __init__(self, app: App, request: httpx.Request) -> None:
        self._sender, self._receiver = anyio.create_memory_object_stream[Message]()
        self._body = aiter(cast("httpx.AsyncByteStream", request.stream))
        self._body_over = self._answer_over = False
        self._gone = asyncio.Event()
        self._seconds: float | None = request.extensions.get("timeout", {}).get("read")
        self._task: asyncio.Task[None] | None = asyncio.create_task(self._run(app, _scope_of(request)))

    async def begun(self) -> httpx.Response:
        """The answer once its head is there, its body still to come."""
        start = await self._next()
        return httpx.Response(start["status"], headers=start["headers"], stream=self)

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self._answer_over:
            message = await self._next()
            self._answer_over = not message.get("more_body", False)
            yield message.get("body", b"")

    @override
    async def aclose(self) -> None:
        """An answer that was not read to its end is not made to its end either."""
        # Let go of, too: what the application has open ends with the last reference to its task.
        task, self._task = self._task, None
        if task is None:
            return
        self._gone.set()
        self._receiver.close()
        if not self._answer_over:
            task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            # What failed after its answer was logged by the application itself.
            task.exception()

    async def _run(self, app: App, scope: Message) -> None:
        async with self._sender:
            await app(scope, self._receive, self._sender.send)

    async def _receive(self) -> Message:
        if self._body_over:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        try:
            return {"type": "http.request", "body": await anext(self._body), "more_body": True}
        except StopAsyncIteration:
            self._body_over = True
            return {"type": "http.request", "body": b"", "more_body": False}

    async def _next(self) -> Message:
        try:
            with anyio.fail_after(self._seconds):
                return await self._receiver.receive()
        except TimeoutError:
            raise httpx.ReadTimeout("the application did not answer in time") from None
        except anyio.EndOfStream:
            raise httpx.RemoteProtocolError("the application ended without an answer") from None


def _scope_of(request: httpx.Request) -> Message:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (url.host, url.port),
        "client": (request.headers.get("x-forwarded-for", "-"), 0),
    }
