"""What a citizen does on the page: thumbs, a keyboard, a screen reader, a line that is lost."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Request
from sqlalchemy import text

from shared.clock import ManualClock
from shared.kit import Kit
from tests.support.browser import Tab, browsing
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import RIGHT, fill_bank
from tests.support.held import Held

PHONE: dict[str, Any] = {"width": 390, "height": 844, "mobile": True}
SMALL: dict[str, Any] = {"width": 360, "height": 640, "mobile": True}
_AXE = Path(__file__).parents[1] / "browser" / "vendor" / "axe-core-4.14.1" / "axe.min.js"


# What moves when a draw is shown: how long its animation takes, or that there was none.
REVEALS = """
window.turning = 'nothing moved';
addEventListener('DOMContentLoaded', () => new MutationObserver(() => {
    const shown = document.querySelector('.reveal .picture');
    if (shown) window.turning = getComputedStyle(shown).animationDuration;
    if (shown) window.told = document.getElementById('live').textContent;
}).observe(document.getElementById('main'), { childList: true }));
"""


# A sign-in that the platform takes for nothing any more, and the page anew.
SPOILED = """
const kept = JSON.parse(localStorage.getItem('hv.session'));
kept.token += 'x';
localStorage.setItem('hv.session', JSON.stringify(kept));
location.hash = '#/';
location.reload();
"""

# What is tapped from opening to a voucher, with a quiz of one question.
THE_WAY = (
    "main button.primary.big",
    "#start-quiz",
    ".option",
    "#hand-in",
    "#draw",
    "#example-identity",
    ".choice[data-type=fitness] > button",
    ".choice[data-type=fitness] .sure .primary",
)


@asynccontextmanager
async def one_browser() -> AsyncIterator[Browser]:
    """For all tests of a module: each has a phone of its own in it."""
    async with browsing() as opened_tab:
        found = opened_tab.page.context.browser
        assert found is not None
        yield found


@asynccontextmanager
async def a_phone(browser: Browser) -> AsyncIterator[Tab]:
    """With nothing on it yet, and no wish to see things move. At its end the browser has not complained."""
    async with await browser.new_context(locale="zh-CN", reduced_motion="reduce") as context:
        tab = Tab(await context.new_page())
        await tab.size(**PHONE)
        yield tab
        assert tab.complaints == []


async def one_row(kit: Kit, sql: str, values: Mapping[str, object]) -> Any:  # noqa: ANN401 - whatever was selected
    async with kit.database.snapshot() as tx:
        return (await tx.execute(text(sql), dict(values))).scalar_one()


def number_of(request: Request) -> str:
    """The number of what it asks for, if it does anything."""
    sent = json.loads(request.post_data) if request.method == "POST" and request.post_data else {}
    return str(sent.get("request_no", ""))


async def sure_campaign(kit: Kit, clock: ManualClock, **parts: Any) -> Published:  # noqa: ANN401 - parts of a definition
    """A draw wins unless told otherwise; each question has one right answer."""
    campaign = await open_campaign(kit, clock, **{"odds": "1", **parts})
    await fill_bank(kit, campaign, multiple_every=1_000)
    return campaign


class Taps:
    """Counts what a thumb does."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.count = 0

    async def tap(self, selector: str) -> None:
        await self.tab.tap(selector)
        self.count += 1

    async def answer(self, right: bool = True) -> None:  # noqa: FBT001, FBT002 - reads like a sentence
        """Every question on its screen, until the answers can be handed in."""
        await self.tab.until("document.querySelector('.quiz .option') !== null")
        while not await self.tab.evaluate("document.querySelector('#hand-in') !== null"):
            shown = await self.tab.text(".count")
            wanted = [
                key
                for key, label in json.loads(
                    await self.tab.evaluate(
                        "JSON.stringify([...document.querySelectorAll('.option')]"
                        ".map((one) => [one.dataset.key, one.querySelector('span').innerText]))"
                    )
                )
                if label.startswith(RIGHT) == right
            ]
            several = await self.tab.evaluate("document.querySelector('.quiz .row .primary') !== null")
            for key in wanted if several else wanted[:1]:
                await self.tap(f".option[data-key={key}]")
            if several:
                await self.tap(".quiz .row .primary")
            await self.tab.until(f"document.querySelector('.count').innerText !== {json.dumps(shown)}")


async def opened(tab: Tab, address: str, campaign: Published, query: str = "") -> Taps:
    await tab.open(f"{address}/app?campaign={campaign.slug}{query}")
    await tab.until("document.querySelector('main h1') !== null")
    return Taps(tab)


async def signed_in(tab: Tab, address: str, campaign: Published, query: str = "") -> Taps:
    taps = await opened(tab, address, campaign, query)
    await taps.tap("main button.primary.big")
    await tab.until("document.querySelector('.ways') !== null")
    return taps


async def at(tab: Tab, address: str, held: Held, route: str, *, days: int = 900) -> Taps:
    """Signed in, for so many days, as somebody whom a builder made."""
    page = f"{address}/app?campaign={held.campaign.slug}"
    await tab.open(page)
    token = held.hands.person.headers["Authorization"].removeprefix("Bearer ")
    await tab.evaluate(f"""
        localStorage.setItem('hv.session', JSON.stringify({{
            token: {json.dumps(token)}, until: Date.now() + {days} * 24 * 3600 * 1000, person: 'p',
        }}));
    """)
    # Another address, so that it is a visit of its own and not a step on the page that is open.
    await tab.open(f"{page}&signed_in=1#{route}")
    await tab.until(
        "document.querySelector('#tabs:not([hidden])') !== null && document.querySelector('main h1') !== null"
    )
    return Taps(tab)


async def lose_answers(tab: Tab) -> None:
    """From now on what is sent arrives, and no answer to it comes back."""
    await tab.evaluate("""
        window.lost = 0;
        const whole = window.fetch;
        window.fetch = async (...asked) => {
            const answer = await whole(...asked);
            if ((asked[1] || {}).method !== 'POST') return answer;
            window.lost += 1;
            return new Promise(() => undefined);
        };
    """)


async def by_keyboard(tab: Tab, selector: str) -> None:
    """Goes on with Tab until it is reached, and presses Enter."""
    wanted = f"document.activeElement.matches({json.dumps(selector)})"
    if selector == ".option":
        # A wrong one may have the word in it.
        said = "document.activeElement.querySelector('span').innerText"
        wanted = f"{wanted} && {said}.startsWith({json.dumps(RIGHT)})"
    await tab.until(
        f"document.querySelector({json.dumps(selector)}) !== null"
        " && document.querySelector('main').getAttribute('aria-busy') !== 'true'"
    )
    for _ in range(40):
        if await tab.evaluate(wanted):
            await tab.press("Enter")
            return
        await tab.press("Tab")
    raise AssertionError(selector)


async def serious(tab: Tab) -> list[str]:
    """What a person with a screen reader or a keyboard would stumble over."""
    if not await tab.evaluate("window.axe !== undefined"):
        await tab.evaluate(_AXE.read_text(encoding="utf-8") + ";0")
    told: list[str] = json.loads(
        await tab.evaluate(
            "axe.run().then((told) => JSON.stringify(told.violations.filter(({ impact }) =>"
            " ['serious', 'critical'].includes(impact)).map(({ id, nodes }) =>"
            " `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)))"
        )
    )
    return told
