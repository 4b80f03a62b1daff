"""A real Chromium without a window, driven over its own protocol (CDP)."""

import asyncio
import base64
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SECONDS = 60.0
_POLL_SECONDS = 0.05


def chromium() -> str:
    """Its path. Without one the test is skipped, and the end of the run says so (browser/conftest.py)."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("NOT RUN: no Chromium on PATH")
    return found


class Tab:
    """One page of the browser. Scripts are run in it as if typed into its console."""

    def __init__(self, connection: ClientConnection, session: str) -> None:
        self._connection = connection
        self._session = session
        self._numbers = count(1000)

    async def open(self, url: str) -> None:
        await self._do("Page.navigate", url=url)
        await self.until(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    async def evaluate(self, script: str) -> Any:  # noqa: ANN401 - whatever the script says
        told = await self._do("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def until(self, script: str) -> None:
        """Raises TimeoutError."""
        async with asyncio.timeout(_SECONDS):
            while not await self.evaluate(script):  # noqa: ASYNC110 - the page is another process
                await asyncio.sleep(_POLL_SECONDS)

    async def choose_files(self, selector: str, files: Sequence[Path]) -> None:
        root = (await self._do("DOM.getDocument"))["root"]["nodeId"]
        node = (await self._do("DOM.querySelector", nodeId=root, selector=selector))["nodeId"]
        await self._do("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])

    async def screenshot(self, *, width: int, height: int) -> bytes:
        await self._do(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        return base64.b64decode((await self._do("Page.captureScreenshot"))["data"])

    async def _do(self, method: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - as the protocol says
        return await _ask(self._connection, next(self._numbers), method, values, session=self._session)


async def _ask(
    connection: ClientConnection,
    number: int,
    method: str,
    values: dict[str, Any],
    *,
    session: str | None = None,
) -> dict[str, Any]:
    message: dict[str, Any] = {"id": number, "method": method, "params": values}
    await connection.send(json.dumps(message | ({"sessionId": session} if session else {})))
    async with asyncio.timeout(_SECONDS):
        while True:
            told = json.loads(await connection.recv())
            if told.get("id") == number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result


@asynccontextmanager
async def browsing(*, language: str = "zh-CN") -> AsyncIterator[Tab]:
    """A browser of its own, with one tab. Ends it, however the test ends."""
    with tempfile.TemporaryDirectory(prefix="hv-chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            chromium(),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--remote-debugging-port=0",
            f"--accept-lang={language}",
            f"--user-data-dir={profile}",
            "about:blank",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            async with connect(await _address(Path(profile)), max_size=None) as connection:
                target = await _ask(connection, 1, "Target.createTarget", {"url": "about:blank"})
                attached = {"targetId": target["targetId"], "flatten": True}
                session = await _ask(connection, 2, "Target.attachToTarget", attached)
                yield Tab(connection, session["sessionId"])
        finally:
            process.kill()
            await process.wait()


async def _address(profile: Path) -> str:
    """Chromium writes its port and its path as soon as it listens."""
    file = profile / "DevToolsActivePort"
    async with asyncio.timeout(_SECONDS):
        while True:
            told = file.read_text().split() if file.exists() else []
            if len(told) > 1:
                return f"ws://127.0.0.1:{told[0]}{told[1]}"
            await asyncio.sleep(_POLL_SECONDS)
