"""A real Chromium without a window: Debian's own, driven by Playwright."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import CDPSession, ConsoleMessage, Error, Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SECONDS = 60.0
_POLL_SECONDS = 0.02
# What the browser says of a refusal, which to the page is an answer like any other.
_REFUSED = "Failed to load resource"


def chromium() -> str:
    """Its path. Without one the test is skipped, and the end of the run says so (browser/conftest.py)."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("NOT RUN: no Chromium on PATH")
    return found


class Tab:
    """One page of the browser, in the words of the tests; `page` is Playwright's, for what these words lack.

    `complaints` are what the browser said against the page: errors in its console, scripts that failed, what
    the page's policy did not let through. `asked` are the addresses of all requests.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self._protocol: CDPSession | None = None
        page.set_default_timeout(_SECONDS * 1000)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)

    async def open(self, url: str) -> None:
        await self.page.goto(url)

    async def beforehand(self, script: str) -> None:
        """Runs in every page of this tab from now on, before the page's own scripts."""
        await self.page.add_init_script(script)

    async def evaluate(self, script: str) -> Any:  # noqa: ANN401 - whatever the script says
        """Runs it as if typed into the browser's console."""
        return await self.page.evaluate(script)

    async def until(self, script: str) -> None:
        """Raises TimeoutError. Not Playwright's own waiting: a policy as strict as ours stops that."""
        async with asyncio.timeout(_SECONDS):
            while not await self._holds(script):  # noqa: ASYNC110 - the page is another process
                await asyncio.sleep(_POLL_SECONDS)

    async def _holds(self, script: str) -> bool:
        """A page that is just being left or made has not what the script asks for: not yet, then."""
        try:
            return bool(await self.page.evaluate(script))
        except Error:
            return False

    async def choose_files(self, selector: str, files: Sequence[Path]) -> None:
        await self.page.set_input_files(selector, files)

    async def tap(self, selector: str) -> None:
        """Taps the first of them, once it can be seen and nothing covers it."""
        await self.page.locator(selector).first.click()

    async def type(self, selector: str, text: str) -> None:
        await self.page.locator(selector).first.fill(text)

    async def keys(self, text: str) -> None:
        """Typed where the focus is, as a keyboard would."""
        await self.page.keyboard.insert_text(text)

    async def press(self, key: str) -> None:
        """Enter, Tab, Escape: a key that does something."""
        await self.page.keyboard.press(key)

    async def set_cookie(self, name: str, value: str, url: str) -> None:
        await self.page.context.add_cookies([{"name": name, "value": value, "url": url, "httpOnly": True}])

    async def text(self, selector: str = "main") -> str:
        return await self.page.locator(selector).first.inner_text()

    async def offline(self, *, off: bool = True) -> None:
        """Takes the network away, or gives it back."""
        await self.page.context.set_offline(off)

    async def size(self, *, width: int, height: int, mobile: bool = False) -> None:
        """`mobile` as a phone lays a page out: by its viewport tag, with no bar to scroll by."""
        await self.page.set_viewport_size({"width": width, "height": height})
        protocol = await self.protocol()
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        await protocol.send("Emulation.setDeviceMetricsOverride", metrics)

    async def protocol(self) -> CDPSession:
        """What the browser can be told beneath Playwright."""
        if self._protocol is None:
            self._protocol = await self.page.context.new_cdp_session(self.page)
        return self._protocol

    async def screenshot(self, *, width: int, height: int, mobile: bool = False) -> bytes:
        """Also of what one would have to scroll to."""
        await self.size(width=width, height=height, mobile=mobile)
        return await self.page.screenshot(full_page=True)

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type in {"error", "warning", "assert"} and _REFUSED not in said.text:
            self.complaints.append(said.text)


@asynccontextmanager
async def browsing(*, language: str = "zh-CN") -> AsyncIterator[Tab]:
    """A browser of its own, with one tab. Ends it, however the test ends.

    Its own words, as in a field for a date, are in that language where Debian's chromium-l10n is installed.
    """
    path = chromium()
    spoken: dict[str, str | float | bool] = {**os.environ, "LANGUAGE": language.replace("-", "_")}
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=path, args=["--no-sandbox"], env=spoken)
        try:
            yield Tab(await browser.new_page(locale=language))
        finally:
            await browser.close()


async def look(tab: Tab, name: str, *, width: int, height: int, mobile: bool = False) -> None:
    """Keeps a picture where HV_TESTS_PICTURES says, for whoever wants to see the page."""
    if folder := os.environ.get("HV_TESTS_PICTURES"):
        shot = await tab.screenshot(width=width, height=height, mobile=mobile)
        await asyncio.to_thread(Path(folder, f"{name}.png").write_bytes, shot)
