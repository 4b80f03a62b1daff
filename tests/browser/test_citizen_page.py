"""A citizen's way in a real browser, on a phone: to the voucher, through refusals, reloads and lost lines."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from deploy.local.asgi import OneOrigin
from services.console.app import create_app as console
from services.issuance.app import create_app as issuance
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock
from shared.kit import Kit
from shared.settings import Settings
from tests.support.browser import Tab, browsing, look
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import RIGHT, fill_bank
from tests.support.http import listening

PHONE: dict[str, Any] = {"width": 390, "height": 844, "mobile": True}
SMALL: dict[str, Any] = {"width": 360, "height": 640, "mobile": True}


@pytest.fixture(scope="module")
async def address(settings: Settings, clock: ManualClock) -> AsyncIterator[str]:
    apps = {
        "console": console(settings, clock=clock),
        "issuance": issuance(settings, clock=clock),
        "redemption": redemption(settings, clock=clock),
    }
    async with listening(OneOrigin(apps, rest="console")) as origin:
        yield origin


@pytest.fixture
async def tab() -> AsyncIterator[Tab]:
    async with browsing() as opened:
        await opened.size(**PHONE)
        yield opened
        assert opened.complaints == []


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


async def one_row(kit: Kit, sql: str, values: Mapping[str, object]) -> Any:  # noqa: ANN401 - whatever was selected
    async with kit.database.snapshot() as tx:
        return (await tx.execute(text(sql), dict(values))).scalar_one()


async def test_from_opening_to_a_voucher_in_at_most_twelve_taps(
    tab: Tab, address: str, kit: Kit, clock: ManualClock
) -> None:
    campaign = await sure_campaign(kit, clock)
    taps = await opened(tab, address, campaign)
    await look(tab, "citizen-1-welcome", **PHONE)
    await taps.tap("main button.primary.big")
    await tab.until("document.querySelector('.ways') !== null")
    await look(tab, "citizen-2-today", **PHONE)
    await taps.tap("#start-quiz")
    await tab.until("document.querySelector('.option') !== null")
    await look(tab, "citizen-3-question", **PHONE)
    await taps.answer()
    await look(tab, "citizen-4-check", **PHONE)
    await taps.tap("#hand-in")
    await tab.until("document.querySelector('.outcome') !== null")
    assert "答题通过" in await tab.text()
    await look(tab, "citizen-5-result", **PHONE)
    await taps.tap("#draw")
    await tab.until("document.querySelector('#example-identity') !== null")
    await look(tab, "citizen-6-identity", **PHONE)
    await taps.tap("#example-identity")
    await tab.until("document.querySelector('.choices') !== null")
    await look(tab, "citizen-7-won", **PHONE)
    await taps.tap(".choice[data-type=fitness] > button")
    await taps.tap(".choice[data-type=fitness] .sure .primary")
    await tab.until("document.querySelector('.code svg') !== null")
    await look(tab, "citizen-8-voucher", **PHONE)
    assert taps.count <= 12, taps.count
    digits = (await tab.text(".digits")).replace(" ", "")
    assert len(digits) == 16
    assert "秒后自动刷新" in await tab.text("#countdown")
    await tab.open(f"{address}/app?campaign={campaign.slug}#/wallet")
    await tab.until("document.querySelector('.ticket.issued') !== null")
    await look(tab, "citizen-9-wallet", **PHONE)
    await tab.evaluate("location.hash = '#/history'")
    await tab.until("document.querySelectorAll('.card').length > 2")
    await look(tab, "citizen-history", **PHONE)
    assert {url.split("/")[2] for url in tab.asked if url.startswith("http")} == {address.split("/")[2]}


async def test_whoever_is_not_drawn_is_told_kindly_and_when_to_try_again(
    tab: Tab, address: str, kit: Kit, clock: ManualClock
) -> None:
    campaign = await sure_campaign(
        kit, clock, odds="0.000001", limits={"draws_per_day": 1}, quiz={"questions": 2}
    )
    taps = await signed_in(tab, address, campaign)
    await taps.tap("#start-quiz")
    await taps.answer()
    await taps.tap("#hand-in")
    await taps.tap("#draw")
    await taps.tap("#example-identity")
    await tab.until("document.querySelector('main').innerText.includes('没有抽中')")
    shown = await tab.text()
    assert "0.0001%" in shown
    assert "明天 0 点后可以再抽" in shown
    await look(tab, "citizen-not-drawn", **SMALL)
    # Nothing can be drawn any more today, and the page says so before anybody tries.
    await tab.evaluate("location.hash = '#/'")
    await tab.until("document.querySelector('.ways') !== null")
    assert await tab.evaluate("document.querySelector('#draw') === null")
    # After the phase the own draw is recomputed on the phone.
    await tab.evaluate("location.hash = '#/verify'")
    await tab.until("document.querySelector('.places-list li.later') !== null")
    clock.set(campaign.closes_at + timedelta(minutes=5))
    await tab.evaluate("location.reload()")
    await tab.until("document.querySelector('.places-list li.sound') !== null")
    await look(tab, "citizen-verified", **PHONE)


async def test_a_failed_quiz_offers_another_try_while_there_is_one(
    tab: Tab, address: str, kit: Kit, clock: ManualClock
) -> None:
    campaign = await sure_campaign(kit, clock, quiz={"questions": 2, "attempts_per_day": 2})
    taps = await signed_in(tab, address, campaign)
    for offered in ("再答一次", "今天的答题次数用完了"):
        await tab.evaluate("location.hash = '#/'")
        await taps.tap("#start-quiz")
        await taps.answer(right=False)
        await taps.tap("#hand-in")
        await tab.until("document.querySelector('.outcome') !== null")
        assert offered in await tab.text()
        await tab.evaluate("document.querySelector('details').open = true")
        assert "解析" in await tab.text()


@pytest.mark.parametrize("step", ["start", "submit", "draw", "claim"])
async def test_an_answer_that_was_lost_is_fetched_after_a_reload_and_nothing_happens_twice(
    tab: Tab, address: str, kit: Kit, clock: ManualClock, step: str
) -> None:
    """The act reaches the platform, its answer does not reach the phone, and the phone starts anew."""
    campaign = await sure_campaign(kit, clock, quiz={"questions": 2})
    taps = await signed_in(tab, address, campaign)
    acts = {
        "start": "#start-quiz",
        "submit": "#hand-in",
        "draw": "#draw",
        "claim": ".choice[data-type=fitness] .sure .primary",
    }
    for name, selector in acts.items():
        if name == "submit":
            await taps.answer()
        if name == "draw":
            await tab.until("document.querySelector('#draw') !== null")
            await tab.evaluate("location.hash = '#/me'")
            await tab.until("document.querySelector('main .column') !== null")
            await taps.tap("main .card button.primary")
            await taps.tap("#example-identity")
        if name == "claim":
            await taps.tap(".choice[data-type=fitness] > button")
        if name == step:
            await lose_answers(tab)
            await taps.tap(selector)
            await tab.until("window.lost > 0")
            await tab.evaluate("location.reload()")
            await tab.until("!('lost' in window) && document.readyState === 'complete'")
            await tab.until("localStorage.getItem('hv.acts') === null")
        else:
            await taps.tap(selector)
    await tab.until("document.querySelector('.code svg, .ticket') !== null")
    for table in ("issuance.quiz_attempt", "issuance.draw", "core.voucher"):
        count = f"SELECT count(*) FROM {table} WHERE campaign_id = :id"
        assert await one_row(kit, count, {"id": campaign.id}) == 1


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


async def test_without_a_network_the_act_waits_and_goes_on_by_itself(
    tab: Tab, address: str, kit: Kit, clock: ManualClock
) -> None:
    campaign = await sure_campaign(kit, clock)
    taps = await signed_in(tab, address, campaign)
    await tab.offline()
    await taps.tap("#start-quiz")
    await tab.until("document.getElementById('note').innerText.includes('正在重试')")
    await tab.offline(off=False)
    await tab.until("document.querySelector('.option') !== null")
    # Answers are kept on the phone while the platform cannot be reached, and survive a reload.
    await tab.offline()
    key = await tab.evaluate("document.querySelector('.option').dataset.key")
    await tab.evaluate("document.querySelector('.option').click()")
    await tab.until("document.getElementById('note').innerText.includes('答案已存在手机上')")
    assert key in await tab.evaluate("localStorage.getItem('hv.answers')")
    await tab.offline(off=False)


async def test_refusals_name_the_reason_and_the_next_step(
    tab: Tab, address: str, kit: Kit, clock: ManualClock
) -> None:
    campaign = await sure_campaign(kit, clock)
    taps = await signed_in(tab, address, campaign)
    await tab.evaluate("location.hash = '#/way/event'")
    await tab.until("document.querySelector('#code') !== null")
    await tab.type("#code", "NOSUCHCODE")
    await taps.tap("form button[type=submit]")
    await tab.until("document.querySelector('.refused') !== null")
    assert "请重新扫描现场海报上的二维码" in await tab.text()
    await look(tab, "citizen-refused", **SMALL)
    await tab.evaluate("location.hash = '#/voucher/0000000000000000000000000000000000'")
    await tab.until("document.querySelector('main').innerText.includes('它可能已经过期')")
    # A sign-in that is over leads to a new one, and the way goes on.
    await tab.evaluate("""
        const kept = JSON.parse(localStorage.getItem('hv.session'));
        kept.token += 'x';
        localStorage.setItem('hv.session', JSON.stringify(kept));
        location.hash = '#/';
        location.reload();
    """)
    await tab.until("document.querySelector('.refused') !== null && document.readyState === 'complete'")
    await taps.tap("main button.primary")
    await tab.until("document.querySelector('.ways') !== null")


async def test_the_page_speaks_english_and_large_and_can_be_used_by_keyboard(
    tab: Tab, address: str, kit: Kit, clock: ManualClock
) -> None:
    campaign = await sure_campaign(kit, clock)
    taps = await signed_in(tab, address, campaign, "&lang=en")
    assert "What you can do today" in await tab.text()
    await tab.evaluate("location.hash = '#/me'")
    await tab.until("document.querySelector('main .column') !== null")
    normal = await tab.evaluate("getComputedStyle(document.querySelector('h1')).fontSize")
    await taps.tap("main .column button")
    large = await tab.evaluate("getComputedStyle(document.querySelector('h1')).fontSize")
    assert float(large[:-2]) > 1.25 * float(normal[:-2])
    await tab.evaluate("location.hash = '#/'")
    await tab.until("document.querySelector('.ways') !== null")
    await look(tab, "citizen-large-english", **SMALL)
    wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert await tab.evaluate(wide), "nothing is cut off at the side"
    # Each screen begins where a reader begins: at its heading.
    assert await tab.evaluate("document.activeElement.tagName") == "H1"
    untouchable = """[...document.querySelectorAll('main button, main a, nav a')]
        .filter((one) => one.offsetParent !== null)
        .filter((one) => one.getBoundingClientRect().height < 44 || !(one.innerText || one.ariaLabel))
        .length"""
    assert await tab.evaluate(untouchable) == 0


async def test_two_taps_on_one_button_are_one_act(
    tab: Tab, address: str, kit: Kit, clock: ManualClock
) -> None:
    campaign = await sure_campaign(kit, clock)
    await signed_in(tab, address, campaign)
    await tab.evaluate(
        "for (let turn = 0; turn < 3; turn += 1) document.querySelector('#start-quiz').click()"
    )
    await tab.until("document.querySelector('.option') !== null")
    count = "SELECT count(*) FROM issuance.quiz_attempt WHERE campaign_id = :id"
    assert await one_row(kit, count, {"id": campaign.id}) == 1
