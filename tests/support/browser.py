"""A real Chromium without a window, driven over its own protocol (CDP)."""

import asyncio
import base64
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
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
    """One page of the browser. Scripts are run in it as if typed into its console.

    `complaints` are what the browser said against the page: errors in its console, scripts that failed, what
    the page's policy did not let through. `asked` are the addresses of all requests.
    """

    def __init__(self, connection: ClientConnection, session: str) -> None:
        self._connection = connection
        self._session = session
        self._numbers = count(1000)
        self.complaints: list[str] = []
        self.asked: list[str] = []

    async def listen(self) -> None:
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self._do(f"{domain}.enable")

    async def open(self, url: str) -> None:
        await self._do("Page.navigate", url=url)
        await self.until(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    async def beforehand(self, script: str) -> None:
        """Runs in every page of this tab from now on, before the page's own scripts."""
        await self._do("Page.addScriptToEvaluateOnNewDocument", source=script)

    async def evaluate(self, script: str) -> Any:  # noqa: ANN401 - whatever the script says
        told = await self._do("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def until(self, script: str) -> None:
        """Raises TimeoutError."""
        async with asyncio.timeout(_SECONDS):
            while not await self._holds(script):  # noqa: ASYNC110 - the page is another process
                await asyncio.sleep(_POLL_SECONDS)

    async def _holds(self, script: str) -> bool:
        """A page that is just being left or made has not what the script asks for: not yet, then."""
        try:
            return bool(await self.evaluate(script))
        except AssertionError:
            return False

    async def choose_files(self, selector: str, files: Sequence[Path]) -> None:
        root = (await self._do("DOM.getDocument"))["root"]["nodeId"]
        node = (await self._do("DOM.querySelector", nodeId=root, selector=selector))["nodeId"]
        await self._do("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])

    async def tap(self, selector: str) -> None:
        """Waits until it is there and can be used, then clicks it."""
        found = f"document.querySelector({json.dumps(selector)})"
        await self.until(f"{found} !== null && !{found}.disabled && !{found}.closest('[aria-busy=true]')")
        await self.evaluate(f"{found}.click()")

    async def type(self, selector: str, text: str) -> None:
        field = f"document.querySelector({json.dumps(selector)})"
        await self.evaluate(f"{field}.value = {json.dumps(text)}")
        await self.evaluate(f"{field}.dispatchEvent(new Event('input', {{bubbles: true}}))")

    async def keys(self, text: str) -> None:
        """Typed where the focus is, as a keyboard would."""
        await self._do("Input.insertText", text=text)

    async def press(self, key: str) -> None:
        """Enter, Tab, Escape: a key that does something."""
        code = {"Enter": 13, "Tab": 9, "Escape": 27}[key]
        told: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        text = {"text": "\r"} if key == "Enter" else {}
        await self._do("Input.dispatchKeyEvent", type="keyDown", **told, **text)
        await self._do("Input.dispatchKeyEvent", type="keyUp", **told)

    async def set_cookie(self, name: str, value: str, url: str) -> None:
        await self._do("Network.setCookie", name=name, value=value, url=url, httpOnly=True)

    async def text(self, selector: str = "main") -> str:
        shown: str = await self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")
        return shown

    async def offline(self, *, off: bool = True) -> None:
        """Takes the network away, or gives it back."""
        await self._do(
            "Network.emulateNetworkConditions",
            offline=off,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )

    async def size(self, *, width: int, height: int, mobile: bool = False) -> None:
        await self._do(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )

    async def screenshot(self, *, width: int, height: int, mobile: bool = False) -> bytes:
        """Also of what one would have to scroll to."""
        await self.size(width=width, height=height, mobile=mobile)
        shot = await self._do("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    async def _do(self, method: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - as the protocol says
        number = next(self._numbers)
        return await _ask(self._connection, number, method, values, session=self._session, heard=self._hear)

    def _hear(self, method: str, told: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.asked.append(told["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            thrown = details.get("exception", {}).get("description", "")
            self.complaints.append(f"{details['text']} {thrown}")
        elif method == "Runtime.consoleAPICalled" and told["type"] in {"error", "warning", "assert"}:
            self.complaints.append(str([one.get("value") for one in told["args"]]))
        # A refusal is an answer like any other; the browser calls it an error of the network.
        elif method == "Log.entryAdded" and told["entry"]["source"] != "network":
            self.complaints.append(told["entry"]["text"])


async def _ask(
    connection: ClientConnection,
    number: int,
    method: str,
    values: dict[str, Any],
    *,
    session: str | None = None,
    heard: Callable[[str, dict[str, Any]], None] = lambda _method, _told: None,
) -> dict[str, Any]:
    message: dict[str, Any] = {"id": number, "method": method, "params": values}
    await connection.send(json.dumps(message | ({"sessionId": session} if session else {})))
    async with asyncio.timeout(_SECONDS):
        while True:
            told = json.loads(await connection.recv())
            if "method" in told:
                heard(told["method"], told["params"])
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
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
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
                tab = Tab(connection, session["sessionId"])
                await tab.listen()
                yield tab
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


async def look(tab: Tab, name: str, *, width: int, height: int, mobile: bool = False) -> None:
    """Keeps a picture where HV_TESTS_PICTURES says, for whoever wants to see the page."""
    if folder := os.environ.get("HV_TESTS_PICTURES"):
        shot = await tab.screenshot(width=width, height=height, mobile=mobile)
        await asyncio.to_thread(Path(folder, f"{name}.png").write_bytes, shot)
