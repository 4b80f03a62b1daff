"""A citizen's way in a real browser, on a phone: to the voucher, through refusals, reloads and lost lines."""

import json
from datetime import timedelta
from pathlib import Path

import httpx

from services.issuance.wiring import build
from services.issuance.worker import parts
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from tests.support.browser import Tab, look
from tests.support.citizens import fill_bank
from tests.support.desk import Desk
from tests.support.drain import drain
from tests.support.held import held_voucher
from tests.support.messaging import FakeSms
from tests.support.people import signed_in_staff
from tests.support.pictures import photo
from tests.support.thumbs import (
    PHONE,
    REVEALS,
    SMALL,
    THE_WAY,
    at,
    by_keyboard,
    lose_answers,
    number_of,
    one_row,
    opened,
    serious,
    signed_in,
    sure_campaign,
)
from tests.support.ways import CHANNELS, LEAD, SHARE, Partaker, channels, made_event, open_ways


async def test_from_opening_to_a_voucher_in_at_most_twelve_taps(
    tab: Tab, address: str, kit: Kit, clock: ManualClock
) -> None:
    """Each tap of a thumb counts one. A quiz adds one for each question: its answer leads on by itself."""
    questions = 4
    campaign = await sure_campaign(kit, clock, quiz={"questions": questions})
    await tab.page.emulate_media(reduced_motion="no-preference")
    await tab.beforehand(REVEALS)
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
    # The result was told before anything moved, and the picture of it is short.
    assert await tab.evaluate("window.told") == "恭喜中奖！"
    assert await tab.evaluate("parseFloat(window.turning)") < 2
    assert await tab.evaluate("document.activeElement.tagName") == "H1"
    await look(tab, "citizen-7-won", **PHONE)
    await taps.tap(".choice[data-type=fitness] > button")
    await taps.tap(".choice[data-type=fitness] .sure .primary")
    await tab.until("document.querySelector('.code svg') !== null")
    await look(tab, "citizen-8-voucher", **PHONE)
    assert taps.count == 7 + questions <= 12, taps.count
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


async def test_an_answer_that_was_lost_is_fetched_after_a_reload_and_nothing_happens_twice(
    tab: Tab, address: str, kit: Kit, clock: ManualClock
) -> None:
    """Each act reaches the platform, its answer does not reach the phone, and the phone starts anew."""
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
        await lose_answers(tab)
        await taps.tap(selector)
        await tab.until("window.lost > 0")
        assert name in await tab.evaluate("localStorage.getItem('hv.acts')")
        await tab.evaluate("location.reload()")
        await tab.until("!('lost' in window) && document.readyState === 'complete'")
        await tab.until("localStorage.getItem('hv.acts') === null")
    await tab.until("document.querySelector('.code svg, .ticket') !== null")
    for table in ("issuance.quiz_attempt", "issuance.draw", "core.voucher"):
        count = f"SELECT count(*) FROM {table} WHERE campaign_id = :id"
        assert await one_row(kit, count, {"id": campaign.id}) == 1


async def test_at_each_step_the_network_and_the_page_may_go_and_the_same_number_is_sent(
    tab: Tab, address: str, kit: Kit, clock: ManualClock
) -> None:
    """Without a network it says so, waits and goes on by itself; a reload ends on the same screen."""
    ways = channels(share={"review": False})
    campaign = await sure_campaign(kit, clock, channels=ways, quiz={"questions": 1})
    taps = await signed_in(tab, address, campaign)
    numbers: list[tuple[str, str]] = []
    tab.page.on("request", lambda one: numbers.append((one.url.rsplit("/", 1)[1], number_of(one))))
    steps = {
        "quiz-attempts": ("#start-quiz", ".option", "issuance.quiz_attempt"),
        "answers": ("#hand-in", ".score", "issuance.quiz_attempt"),
        "draws": ("#draw", ".choices", "issuance.draw"),
        "claim": (".choice[data-type=fitness] .sure .primary", ".code svg", "core.voucher"),
        "activities": ("form button[type=submit]", ".outcome.good", "issuance.activity"),
    }
    for call, (tapped, shown, table) in steps.items():
        if call == "answers":
            await taps.answer()
        if call == "draws":
            await taps.tap("#draw")
            await tab.until("document.querySelector('#example-identity') !== null")
            await tab.evaluate("location.reload()")
            await taps.tap("#example-identity")
            await tab.until("document.querySelector('.choices') !== null")
            continue
        if call == "claim":
            await taps.tap(".choice[data-type=fitness] > button")
        if call == "activities":
            await tab.evaluate("location.hash = '#/way/share'")
            await tab.until("document.querySelector('#url') !== null")
            await tab.type("#url", SHARE["url"])
            await tab.type("#words", SHARE["text"])
        await tab.offline()
        await taps.tap(tapped)
        await tab.until("document.getElementById('note').innerText.includes('正在重试')")
        await tab.offline(off=False)
        await tab.until(f"document.querySelector({json.dumps(shown)}) !== null")
        sent = {number for name, number in numbers if name == call}
        assert len(sent) == 1, call
        count = f"SELECT count(*) FROM {table} WHERE campaign_id = :id"
        assert await one_row(kit, count, {"id": campaign.id}) == 1
        await tab.evaluate("document.querySelector('main').replaceChildren(); location.reload()")
        await tab.until(f"document.querySelector({json.dumps(shown)}) !== null")
    # What is typed stays when the network comes and goes.
    await tab.evaluate("location.hash = '#/way/lead'")
    await tab.until("document.querySelector('#words') !== null")
    await tab.type("#words", LEAD["description"])
    await tab.offline()
    await tab.offline(off=False)
    assert await tab.evaluate("document.querySelector('#words').value") == LEAD["description"]


async def test_answers_are_kept_on_the_phone_while_the_platform_cannot_be_reached(
    tab: Tab, address: str, kit: Kit, clock: ManualClock
) -> None:
    campaign = await sure_campaign(kit, clock)
    taps = await signed_in(tab, address, campaign)
    await taps.tap("#start-quiz")
    await tab.until("document.querySelector('.option') !== null")
    await tab.offline()
    key = await tab.evaluate("document.querySelector('.option').dataset.key")
    await tab.evaluate("document.querySelector('.option').click()")
    await tab.until("document.getElementById('note').innerText.includes('答案已存在手机上')")
    assert key in await tab.evaluate("localStorage.getItem('hv.answers')")
    await tab.offline(off=False)


async def test_the_page_speaks_english_and_large_and_can_be_used_by_keyboard(
    tab: Tab, address: str, kit: Kit, clock: ManualClock
) -> None:
    campaign = await sure_campaign(kit, clock)
    taps = await signed_in(tab, address, campaign, "&lang=en")
    assert "What you can do today" in await tab.text()
    await tab.evaluate("location.hash = '#/me'")
    await tab.until("document.querySelector('main .column') !== null")
    normal = await tab.evaluate("getComputedStyle(document.querySelector('h1')).fontSize")
    await taps.tap("#large")
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


# --- the person's own things ----------------------------------------------------------------------------


async def test_consent_and_messages_are_set_by_oneself(
    tab: Tab, address: str, kit: Kit, clock: ManualClock, sms: FakeSms
) -> None:
    campaign = await sure_campaign(kit, clock)
    taps = await signed_in(tab, address, campaign)
    await tab.evaluate("location.hash = '#/me'")
    await tab.until("document.querySelector('#sms-state') !== null")
    assert "短信通知未开通" in await tab.text("#notices")
    assert "还没有同意过" in await tab.text("#consent")
    await tab.type("#phone", "13800138000")
    await taps.tap("#notices form button")
    await tab.until("document.querySelector('#phone-code') !== null")
    assert "138****8000" in await tab.text("#notices")
    await tab.type("#phone-code", "000000")
    await taps.tap("#notices form button")
    await tab.until("document.querySelector('#notices [role=alert]').innerText.includes('核对短信')")
    assert await tab.evaluate("document.querySelector('#phone-code').value") == "000000"
    await look(tab, "citizen-phone", **PHONE)
    await drain(kit, parts(build(kit)))
    [code] = [body["values"]["code"] for body in sms.received.values()]
    await tab.type("#phone-code", code)
    await taps.tap("#notices form button")
    await tab.until("document.querySelector('#sms-stop') !== null")
    await taps.tap("#sms-stop")
    await tab.until("document.querySelector('#phone') !== null")
    await tab.page.select_option("#notice-language", "en")
    await tab.until("document.getElementById('note').innerText === '已保存'")
    preferred = "SELECT language FROM issuance.notice_preference ORDER BY updated_at DESC LIMIT 1"
    assert await one_row(kit, preferred, {}) == "en"
    # Consent comes with the identity; the sentence at the tick leads to the text itself.
    await taps.tap("main .card button.primary")
    await taps.tap("label.check a")
    assert await tab.evaluate("document.querySelector('#consent-text').open")
    assert not await tab.evaluate("document.querySelector('#agree').checked")
    await taps.tap("#example-identity")
    await tab.until("document.querySelector('.ways') !== null")
    await tab.evaluate("location.hash = '#/me'")
    await taps.tap("#withdraw")
    assert await tab.evaluate("document.activeElement.innerText") == "再想想"
    await taps.tap("#consent .sure .danger")
    await tab.until("document.querySelector('#agree-again') !== null")
    await look(tab, "citizen-me", **PHONE)
    await tab.evaluate("location.hash = '#/'")
    await tab.until("document.querySelector('main').innerText.includes('您撤回了同意')")
    await tab.evaluate("location.hash = '#/me'")
    await taps.tap("#agree-again")
    await tab.until("document.querySelector('#withdraw') !== null")


async def test_messages_are_counted_until_read_and_long_lists_come_in_pieces(
    tab: Tab, address: str, kit: Kit, clock: ManualClock, client: httpx.AsyncClient
) -> None:
    ways = channels(share={"per_day": 50, "review": False})
    held = await held_voucher(client, kit, clock, "general_50", channels=ways)
    person, campaign = held.hands.person, held.campaign
    for number in range(22):
        await Partaker(client, person).send(
            campaign.slug, "share", SHARE | {"url": f"https://weibo.com/{number}"}
        )
    await drain(kit, parts(build(kit)))
    # A sign-in that ends in two days is renewed before it gets in the way.
    taps = await at(tab, address, held, "/wallet", days=2)
    await tab.until(
        "JSON.parse(localStorage.getItem('hv.session')).until > Date.now() + 3 * 24 * 3600 * 1000"
    )
    taps = await at(tab, address, held, "/wallet")
    await tab.until("document.querySelector('.count-badge') !== null")
    assert "1 条未读消息" in await tab.evaluate("document.querySelector('.count-badge').textContent")
    await tab.until("document.querySelector('.worth') !== null")
    assert await tab.text(".ticket .worth") == "¥50"
    await tab.evaluate("location.hash = '#/history'")
    await taps.tap(".more:not([hidden])")
    await tab.until("document.querySelectorAll('section:last-of-type .places-list li').length === 22")
    assert await tab.evaluate("document.querySelectorAll('.more:not([hidden])').length") == 0
    assert await tab.evaluate("document.activeElement.tagName") == "LI"
    await look(tab, "citizen-unread", **PHONE)
    await taps.tap("#read-all")
    await tab.until("document.querySelector('#read-all') === null")
    assert await tab.evaluate("document.querySelector('.count-badge, .unread') === null")


async def test_a_voucher_says_how_it_is_used_and_remembers_the_county(
    tab: Tab, address: str, kit: Kit, clock: ManualClock, client: httpx.AsyncClient
) -> None:
    held = await held_voucher(client, kit, clock, "general_50")
    office = await signed_in_staff(kit, Role.OPERATOR)
    for county in ("蒙自市", "个旧市"):
        body: dict[str, object] = {
            "name": f"示例·{county}药店",
            "category": "general_merchant",
            "county": county,
        }
        body |= {"accepts": ["general_50"], "campaign": held.campaign.slug}
        made = await client.post("/redemption/v1/institutions", json=body, headers=office)
        assert made.status_code == 201, made.text
    await at(tab, address, held, f"/voucher/{held.id}")
    await tab.until("document.querySelector('.how') !== null")
    assert "最多抵 ¥50" in await tab.text(".how")
    assert "不找零" in await tab.text(".how")
    opened_list = (
        "document.querySelector('.where').open = true,"
        "document.querySelectorAll('.places-list li').length === {}"
    )
    await tab.until(opened_list.format(2))
    await tab.page.select_option(".where select", "个旧市")
    await tab.until(opened_list.format(1))
    await look(tab, "citizen-voucher-general", **PHONE)
    await tab.open(f"{address}/app?campaign={held.campaign.slug}#/voucher/{held.id}")
    await tab.until("document.querySelector('.where') !== null")
    await tab.until(opened_list.format(1))
    assert "个旧市" in await tab.text(".places-list")


async def test_a_poster_of_any_kind_leads_to_its_check_in(
    tab: Tab, address: str, kit: Kit, clock: ManualClock, client: httpx.AsyncClient
) -> None:
    campaign = await open_ways(kit, clock, parts={"odds": "1"})
    desk = Desk(client, await signed_in_staff(kit, Role.OPERATOR), {})
    made = await made_event(desk, clock, campaign.slug, channel="fitness", name="健步走")
    await made_event(desk, clock, campaign.slug, name="清洁家园")
    taps = await opened(tab, address, campaign, f"&check_in_code={made['check_in_code']}")
    await taps.tap("main button.primary.big")
    await tab.until("document.querySelector('#code') !== null")
    assert await tab.evaluate("document.querySelector('#code').value") == made["check_in_code"]
    shown = await tab.text()
    assert "健步走" in shown
    assert "清洁家园" in shown
    await look(tab, "citizen-check-in", **PHONE)
    await taps.tap("form button[type=submit]")
    await tab.until("document.querySelector('.outcome.good') !== null")
    assert "获得 3 次抽奖机会" in await tab.text()
    # What was taken in stays on the screen after a reload.
    await tab.evaluate("location.reload()")
    await tab.until("document.querySelector('.outcome.good') !== null")
    assert "已通过" in await tab.text()
    await taps.tap("#draw")
    await taps.tap("#example-identity")
    await taps.tap(".choice[data-type=fitness] > button")
    await taps.tap(".choice[data-type=fitness] .sure .primary")
    await tab.until("document.querySelector('.code svg') !== null")
    # By a poster's code it takes six, whatever the quiz of the campaign asks.
    assert taps.count == 6, taps.count


async def test_a_photo_that_is_refused_leaves_what_was_typed(
    tab: Tab, address: str, kit: Kit, clock: ManualClock, tmp_path: Path
) -> None:
    campaign = await open_ways(kit, clock)
    good, broken = tmp_path / "good.jpg", tmp_path / "broken.jpg"
    good.write_bytes(photo(1))
    broken.write_bytes(b"no picture")
    taps = await signed_in(tab, address, campaign)
    await tab.evaluate("location.hash = '#/way/lead'")
    await tab.until("document.querySelector('#photos') !== null")
    for selector, key in (("#category", "category"), ("#place", "place"), ("#words", "description")):
        await tab.type(selector, LEAD[key])
    await tab.choose_files("#photos", [good, broken])
    await taps.tap("form button[type=submit]")
    await tab.until("!document.querySelector('#photos-refused').hidden")
    assert "broken.jpg" in await tab.text("#photos-refused")
    assert "只能上传 JPEG" in await tab.text("#photos-refused")
    assert await tab.evaluate("document.querySelector('#place').value") == LEAD["place"]
    await look(tab, "citizen-photo-refused", **SMALL)
    await tab.choose_files("#photos", [good])
    await taps.tap("form button[type=submit]")
    await tab.until("document.querySelector('.outcome.good') !== null")
    uploads = [url for url in tab.asked if url.endswith("/issuance/v1/photos")]
    assert len(uploads) == 2, "the photo that had arrived was not sent again"


# --- for everybody --------------------------------------------------------------------------------------


async def test_every_screen_is_usable_by_all(
    tab: Tab, address: str, kit: Kit, clock: ManualClock, client: httpx.AsyncClient
) -> None:
    """Each as it is at first, and on the smallest phone in large type."""
    assumed = ["phases.1.stock", "phases.1.odds"]
    held = await held_voucher(client, kit, clock, channels=CHANNELS, assumed=assumed, quiz={"questions": 2})
    await fill_bank(kit, held.campaign, multiple_every=1_000)
    await opened(tab, address, held.campaign)
    await _usable(tab, "citizen-welcome")
    await tab.evaluate("localStorage.setItem('hv.size', 'large')")
    taps = await at(tab, address, held, "/")
    await tab.until("document.querySelector('.ways') !== null")
    assert await tab.evaluate("document.documentElement.dataset.size") == "large"
    # What was never published is marked where it is shown.
    assert await tab.evaluate("document.querySelectorAll('.types .assumed').length") == 5
    assert "100%" in await tab.text(".types .odds")
    routes = ("/draw", "/wallet", f"/voucher/{held.id}", "/history", "/me", "/way/lead", "/checkin", "/")
    for route in routes:
        await tab.evaluate(
            f"location.hash = {json.dumps(f'#{route}')}; document.querySelector('h1').remove()"
        )
        await tab.until("document.querySelector('main h1') !== null")
        assert await tab.evaluate("document.activeElement.tagName") == "H1", route
        await _usable(tab, f"citizen{route.split('0')[0].replace('/', '-')}")
    await taps.tap("#start-quiz")
    await tab.until("document.querySelector('.option') !== null")
    await _usable(tab, "citizen-asked")
    # The time is said twice, not every second.
    for seconds, words in ((61, "还剩 1 分钟"), (11, "还剩 10 秒")):
        await tab.evaluate(f"""
            window.real = window.real || Date.now;
            window.shown = document.querySelector('.time b').innerText.split(':');
            window.skip = (window.skip || 0) + (Number(shown[0]) * 60 + Number(shown[1]) - {seconds}) * 1000;
            Date.now = () => window.real() + window.skip;
        """)
        await tab.until(f"document.getElementById('live').textContent === {json.dumps(words)}")


async def _usable(tab: Tab, screen: str) -> None:
    for size, type_size in ((SMALL, "large"), (PHONE, "normal")):
        await tab.size(**size)
        await tab.evaluate(f"document.documentElement.dataset.size = {json.dumps(type_size)}")
        assert await serious(tab) == [], (screen, type_size)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await tab.evaluate(wide) <= 0, (screen, type_size)
        await look(tab, f"{screen}-{type_size}", **size)


async def test_the_whole_way_to_a_voucher_needs_no_pointer(
    tab: Tab, address: str, kit: Kit, clock: ManualClock
) -> None:
    campaign = await sure_campaign(kit, clock, quiz={"questions": 1})
    # Nor any movement, for whoever does not want it.
    await tab.page.emulate_media(reduced_motion="reduce")
    await tab.beforehand(REVEALS)
    await opened(tab, address, campaign)
    for selector in THE_WAY:
        await by_keyboard(tab, selector)
    await tab.until("document.querySelector('.code svg') !== null")
    assert await tab.evaluate("window.turning") == "nothing moved"
