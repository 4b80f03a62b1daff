"""The till in a real browser with the real platform behind: jobs, refusals, and a line that breaks."""

import json
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.local.asgi import OneOrigin
from services.console.app import create_app as console
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock
from shared.errors import Busy, Unauthenticated
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef, TillRules, VoucherType
from tests.support.browser import Tab, browsing
from tests.support.counter import DEVICE, TABLET, Shop, Wire
from tests.support.http import listening
from tests.support.till_refusals import (
    ACTIVATION,
    DRIVER,
    ITEM_REFUSED,
    REDEEMABLE_NOT,
    Row,
    jobs,
    not_redeemable,
    seen,
    uploaded,
    waiting,
    worded,
)
from tests.support.tills import ALL_TYPES, bureau
from tests.support.vouchers import TYPES, published

VECTORS = Path(__file__).resolve().parents[2] / "docs" / "signing-vectors.json"


@dataclass(frozen=True, slots=True)
class Street:
    address: str
    wire: Wire
    tab: Tab


@pytest.fixture(scope="module")
async def street(settings: Settings, clock: ManualClock) -> AsyncIterator[Street]:
    """One platform and one browser for all tests of this module."""
    apps = {"console": console(settings, clock=clock), "redemption": redemption(settings, clock=clock)}
    wire = Wire(OneOrigin(apps, rest="console"))
    async with listening(wire) as address, browsing() as tab:
        await tab.size(**TABLET)
        await tab.beforehand(DEVICE)
        yield Street(address, wire, tab)


@pytest.fixture(scope="module")
async def campaign(kit: Kit, street: Street) -> CampaignRef:  # noqa: ARG001 - the origin first: it migrates
    rules = TillRules(manual_write_off=True, offline_count_per_day=2, offline_fen_per_day=80_000)
    test = VoucherType("test", "directed", "核酸检测券", None, 8_000, 60, reports_result_to_health_code=True)
    brief = VoucherType("brief", "directed", "限时冲正券", None, 5_000, 60, reversal_window_hours=1)
    return await published(kit, "pos", tills=rules, types=(*TYPES, test, brief))


@pytest.fixture
async def shop(street: Street, kit: Kit, campaign: CampaignRef) -> AsyncIterator[Shop]:
    """A browser that was never a till. At the end nothing was complained of, nothing asked elsewhere."""
    tab, street.wire.state, street.wire.refusals = street.tab, "up", {}
    street.wire.answers = {}
    await tab.open(f"{street.address}/favicon.ico")
    await tab.evaluate(
        "new Promise((done) => { indexedDB.deleteDatabase('hv.pos').onsuccess = () => done(); })"
    )
    await tab.size(**TABLET)
    async with httpx.AsyncClient(base_url=street.address) as http:
        staff = await bureau(http, kit)
        yield Shop(
            tab,
            street.address,
            street.wire,
            staff,
            kit,
            campaign,
            await staff.institution(campaign, accepts=(*ALL_TYPES, "test", "brief")),
        )
    assert tab.complaints == []
    assert [url for url in tab.asked if url.startswith("http") and not url.startswith(street.address)] == []


async def test_signatures_are_those_of_the_vectors_and_the_key_cannot_be_read(shop: Shop) -> None:
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    await shop.activated()
    told = await shop.tab.evaluate(f"""(async () => {{
        const signing = await import('/console/static/pos/logic/signing.js');
        const found = [];
        for (const one of {json.dumps(vectors)}) {{
            const key = await signing.importKey(crypto.subtle, one.key);
            const header = await signing.authorization(crypto.subtle, one.key_id, key, one);
            found.push([signing.stringToSign(one), header]);
        }}
        return JSON.stringify(found);
    }})()""")
    assert json.loads(told) == [[one["string_to_sign"], one["authorization"]] for one in vectors]
    kept = await shop.tab.evaluate("""(async () => {
        const store = await import('/console/static/pos/store.js');
        const { key } = await (await store.openShelf()).read('terminal');
        const read = await crypto.subtle.exportKey('raw', key).then(() => 'read', () => 'sealed');
        return `${key.extractable} ${read}`;
    })()""")
    assert kept == "false sealed"


async def test_from_activation_over_the_bill_to_the_outcome(shop: Shop) -> None:
    await shop.open()
    assert await shop.serious() == []
    await shop.seen("activation")
    await shop.tab.type("#activation", "AAAA-BBBB-CCCC")
    await shop.tab.tap("#activate")
    await shop.outcome("bad", "激活码")
    await shop.activated()
    general, directed = await shop.voucher(), await shop.voucher("checkup")
    await shop.seen("sale")
    assert await shop.serious() == []
    # The bill may come after the look, too: a general voucher asks for it.
    await shop.check(general.code)
    await shop.tab.until("document.querySelector('#ask-bill') !== null")
    await shop.seen("ask-bill")
    await shop.bill("128.05")
    await shop.tab.tap("#bill-ok")
    await shop.tab.until("document.querySelector('#confirm') !== null")
    assert "¥78.05" in await shop.tab.text(".look")
    assert await shop.serious() == []
    await shop.seen("confirm")
    assert await shop.written_off(general) == []
    await shop.tab.tap("#confirm")
    told = await shop.outcome("good")
    assert ("核销成功" in told, "¥50.00" in told, "¥78.05" in told) == (True, True, True)
    assert await shop.written_off(general) == ["redeemed"]
    assert await shop.serious() == []
    await shop.seen("good")
    await shop.next()
    assert "健康体检券" in await shop.sold(directed)
    await shop.next()
    await shop.check(general.code)
    await shop.outcome("bad", "已经用过")
    assert await shop.serious() == []
    await shop.seen("used")
    await shop.next()
    await shop.check("0000-0000-0000-0000")
    await shop.outcome("bad", "没有这张券")


async def test_what_was_written_off_is_found_reversed_and_closed(shop: Shop) -> None:
    await shop.activated()
    first, second = await shop.voucher("fitness"), await shop.voucher("fitness")
    for voucher in (first, second):
        await shop.sold(voucher)
        await shop.next()
    # The last one stands there ready; a reason is chosen by a tap.
    await shop.go("undo", "#original")
    await shop.seen("undo")
    assert await shop.serious() == []
    number = await shop.tab.evaluate("document.querySelector('#original').value")
    await shop.tab.tap(".chips .chip")
    await shop.tab.tap("#reverse")
    await shop.outcome("good", "已冲正")
    assert (await shop.written_off(first), await shop.written_off(second)) == (["redeemed"], ["reversed"])
    await shop.go("undo", "#original")
    await shop.tab.type("#original", number)
    await shop.tab.type("#reason", "再来一次")
    await shop.tab.tap("#reverse")
    await shop.outcome("bad", "已冲正")
    await shop.go("look", "#number")
    for asked, answered in ((number, "已冲正"), ("nobody-0001", "平台没有这个单号")):
        await shop.tab.type("#number", asked)
        await shop.tab.tap("#find")
        await shop.tab.until(f"document.querySelector('#found').innerText.includes('{answered}')")
    await shop.go("close", "#day")
    await shop.tab.tap("#close-day")
    await shop.tab.until("document.querySelector('.verdict.good') !== null")
    assert "¥50.00" in await shop.tab.text("#closed")
    assert await shop.serious() == []
    # Another till of the institution undoes what this one believes to stand.
    await shop.go("undo", "#original")
    left = await shop.tab.evaluate("document.querySelector('#original').value")
    await (await shop.staff.till(shop.institution)).reverse(left, "another till")
    await shop.go("close", "#day")
    await shop.tab.tap("#close-day")
    await shop.tab.until("document.querySelector('.verdict.bad') !== null")
    told = await shop.tab.text("#closed")
    assert ("仅本机有" in told, left in told) == (True, True)
    await shop.seen("differ")


async def test_an_answer_that_was_lost_is_settled_first_after_a_reload_and_nothing_happens_twice(
    shop: Shop,
) -> None:
    await shop.activated()
    voucher = await shop.voucher("fitness")
    await shop.check(voucher.code)
    await shop.tab.until("document.querySelector('#confirm') !== null")
    shop.wire.state = "deaf"
    await shop.tab.tap("#confirm")
    await shop.outcome("unknown", "请勿重复收券")
    assert await shop.serious() == []
    await shop.seen("unknown")
    assert await shop.written_off(voucher) == ["redeemed"]
    # Asked once more, still nothing; another screen does not hide it, nor does a reload without a line.
    await shop.tab.tap("#again")
    await shop.outcome("unknown")
    await shop.tab.evaluate("location.hash = '#/close'")
    await shop.outcome("unknown")
    shop.wire.state = "up"
    await shop.reload()
    await shop.outcome("good", "核销成功")
    assert await shop.written_off(voucher) == ["redeemed"]
    await shop.go("close", "#day")
    await shop.tab.tap("#close-day")
    await shop.tab.until("document.querySelector('.verdict.good') !== null")


async def test_a_customer_who_leaves_gets_the_voucher_back_whether_it_arrived_or_not(shop: Shop) -> None:
    await shop.activated()
    for state, ends in (("deaf", ["reversed"]), ("down", [])):
        voucher = await shop.voucher("fitness")
        await shop.check(voucher.code)
        await shop.tab.until("document.querySelector('#confirm') !== null")
        shop.wire.state = state  # type: ignore[assignment]
        await shop.tab.tap("#confirm")
        await shop.outcome("unknown")
        shop.wire.state = "up"
        await shop.tab.tap("#leave")
        await shop.outcome("good")
        assert await shop.written_off(voucher) == ends
        await shop.next()


async def test_what_was_taken_without_a_line_survives_a_reload_and_is_uploaded_by_itself(shop: Shop) -> None:
    await shop.activated()
    await shop.tab.until("document.documentElement.dataset.kept === 'true'")
    good, wrong = await shop.voucher(), "7K2M9QXD41TC8R3V"
    shop.wire.state = "down"
    await shop.bill("60")
    await shop.check(good.token(shop.kit))
    await shop.tab.until("document.querySelector('#digits') !== null")
    await shop.tab.type("#digits", good.code)
    await shop.tab.tap(".outcome form button")
    await shop.tab.until("document.querySelector('#take-offline') !== null")
    assert "今天还可离线收 2 笔" in await shop.tab.text(".outcome")
    assert await shop.serious() == []
    await shop.seen("offline")
    await shop.tab.tap("#take-offline")
    await shop.outcome("unknown", "已离线收下")
    # The page itself comes out of the browser: there is no line.
    await shop.reload()
    assert "1 笔待上传" in await shop.tab.text("#bar")
    await shop.check(wrong)
    await shop.tab.tap("#take-offline")
    await shop.next()
    await shop.check("7K2M9QXD41TC8R3W")
    await shop.outcome("unknown", "上限")
    assert await shop.tab.evaluate("document.querySelector('#take-offline') === null")
    # The answer to the upload is lost as well; the same upload is sent again.
    shop.wire.state = "deaf"
    await shop.go("queue", "#upload")
    await shop.seen("queue")
    assert await shop.serious() == []
    await shop.tab.tap("#upload")
    await shop.tab.until("!document.getElementById('note').hidden")
    assert await shop.written_off(good) == ["redeemed"]
    shop.wire.state = "up"
    await shop.tab.evaluate("window.dispatchEvent(new Event('online'))")
    await shop.tab.until("document.querySelectorAll('#results li').length === 2")
    told = await shop.tab.text("#results")
    assert ("已核销" in told, "没有这张券" in told) == (True, True)
    assert await shop.written_off(good) == ["redeemed"]
    await shop.seen("uploaded")
    await shop.go("close", "#day")
    await shop.tab.tap("#close-day")
    await shop.tab.until("document.querySelector('.verdict.good') !== null")
    assert "¥50.00" in await shop.tab.text("#closed")


async def test_a_hand_scanner_is_heard_wherever_the_focus_is_and_its_digits_are_no_bill(shop: Shop) -> None:
    await shop.activated("?loud=1")
    voucher, other = await shop.voucher("general_100"), await shop.voucher("general_100")
    await shop.bill("12.5")
    await shop.tab.evaluate(f"""
        window.scan = (focus, code) => {{
            document.querySelector(focus).focus();
            for (const key of [...code, 'Enter']) {{
                const told = {{ key, bubbles: true, cancelable: true }};
                document.activeElement.dispatchEvent(new KeyboardEvent('keydown', told));
            }}
        }};
        scan('#bill-ok', {json.dumps(voucher.code)});
    """)
    await shop.tab.tap("#confirm")
    await shop.outcome("good", "¥12.50")
    assert await shop.tab.evaluate("JSON.stringify(window.tones)") == "[880,1320]"
    # The bill that was tapped stays when the scanner types into the field.
    await shop.next()
    await shop.bill("30")
    await shop.tab.evaluate(f"scan('#voucher', {json.dumps(other.code)})")
    await shop.tab.tap("#confirm")
    await shop.outcome("good", "¥30.00")
    await shop.go("settings", "#sound")
    await shop.tab.tap("#sound")
    await shop.tab.until("document.querySelector('#sound').ariaPressed === 'false'")
    await shop.go("", "#voucher")
    await shop.check(voucher.code)
    await shop.outcome("bad")
    assert await shop.tab.evaluate("window.tones.length") == 4


async def test_the_camera_reads_where_the_browser_can_and_else_the_page_says_so(shop: Shop) -> None:
    answer = await shop.staff.http.get("/pos")
    assert "camera=(self)" in answer.headers["permissions-policy"]
    assert "camera=()" in (await shop.staff.http.get("/app")).headers["permissions-policy"]
    await shop.activated("?camera=1")
    voucher = await shop.voucher("fitness")
    await shop.tab.evaluate(f"window.held = {json.dumps(voucher.token(shop.kit))}")
    await shop.tab.tap("#camera")
    await shop.tab.tap("#confirm")
    await shop.outcome("good")
    # Phones of Apple and desktop browsers have no detector: the one that comes along reads as well.
    other = await shop.voucher("fitness")
    await shop.open("?lens=1")
    await shop.tab.tap("#camera")
    await shop.tab.until("document.getElementById('note').innerText.includes('没有被允许')")
    await shop.tab.evaluate(f"window.held = {json.dumps(other.token(shop.kit))}")
    await shop.tab.tap("#camera")
    await shop.tab.tap("#confirm")
    await shop.outcome("good")


async def test_special_cases_results_and_id_numbers(shop: Shop) -> None:
    await shop.activated()
    voucher = await shop.voucher("test")
    await shop.sold(voucher)
    await shop.tab.tap("#go-report")
    await shop.tab.type("#report-no", "N-2020-77")
    assert await shop.serious() == []
    await shop.seen("report")
    await shop.tab.tap("#report-do")
    await shop.outcome("good", "已上报")
    await shop.next()
    await shop.go("undo", "#original")
    await shop.tab.tap(".chips .chip")
    await shop.tab.tap("#reverse")
    await shop.outcome("bad", "终端不能冲正")
    await shop.next()
    # Whoever has that number is not told to strangers; the number is kept nowhere.
    await shop.tab.tap("#go-manual")
    await shop.tab.type("#id-number", "532522199003071233")
    assert await shop.serious() == []
    await shop.seen("manual")
    await shop.tab.tap("#manual-do")
    await shop.outcome("bad")
    await shop.seen("manual-refused")
    # What was typed can be mended; the next customer does not find it.
    await shop.tab.tap("#mend")
    await shop.tab.until("document.querySelector('#id-number')?.value === '532522199003071233'")
    await shop.tab.tap("#manual-do")
    await shop.outcome("bad")
    await shop.next()
    await shop.tab.tap("#go-manual")
    await shop.tab.until("document.querySelector('#id-number')?.value === ''")


async def test_settings_hold_key_operator_language_type_and_one_window(shop: Shop) -> None:
    rule = {"required": True, "reason": "按人核对"}
    await shop.staff.post(f"/institutions/{shop.institution}/operators", {"code": "c01", "label": "小王"})
    await shop.staff.post(f"/institutions/{shop.institution}/operator-rule", rule)
    await shop.activated()
    voucher = await shop.voucher("fitness")
    await shop.check(voucher.code)
    await shop.tab.until("document.querySelector('#operator') !== null")
    assert "请先选择收银员" in await shop.tab.text("#note")
    await shop.tab.evaluate(
        "const one = document.querySelector('#operator'); one.value = 'c01';"
        "one.dispatchEvent(new Event('change'))"
    )
    await shop.tab.until("document.querySelector('#who').innerText.includes('小王')")
    shown = await shop.tab.text()
    assert ("已封存" in shown, "前台1号" in shown, "秒" in shown) == (True, True, True)
    await shop.tab.tap("#check-in")
    await shop.tab.until("document.getElementById('note').innerText.includes('密钥已更换')")
    assert await shop.serious() == []
    await shop.seen("settings")
    await shop.go("", "#voucher")
    await shop.sold(voucher)
    await shop.go("settings", "#large")
    await shop.tab.tap("#large")
    await shop.tab.until("document.querySelector('#large').ariaPressed === 'true'")
    await shop.open("?lang=en")
    assert "Voucher code" in await shop.tab.text()
    await shop.seen("english-large")
    # A second window of the same till waits.
    told = await shop.tab.evaluate(
        "navigator.locks.request('hv.pos', { ifAvailable: true }, (lock) => (lock ? 'free' : 'held'))"
    )
    assert told == "held"
    await shop.open("?lang=zh")


async def test_over_an_insecure_line_one_sentence_says_why_nothing_works(shop: Shop) -> None:
    await shop.tab.open(f"{shop.address}/pos?insecure=1")
    await shop.tab.until("document.querySelector('main .note') !== null")
    assert "HTTPS" in await shop.tab.text()


async def test_every_refusal_stands_on_the_page_with_its_reason_and_the_next_step(shop: Shop) -> None:
    """Each is the document that its class makes, put on the line.

    Many could be had only from an institution that left, a month that was settled or a page that is broken.
    Those that matter most are had from the platform in other tests.
    """
    faults: list[str] = []
    await shop.open()
    await shop.tab.evaluate(DRIVER)
    row = Row(shop)
    for refusal in ACTIVATION.refusals:
        faults += await row.refused(ACTIVATION, refusal)
    await shop.activated()
    await shop.tab.evaluate(DRIVER)
    await shop.sold(await shop.voucher("test"))
    row.leave = "#next"
    voucher = (await shop.voucher("fitness")).code
    listed = jobs(voucher)
    for job in listed:
        if job.name == "upload":
            shop.wire.refusals = {job.asks: job.refusals[0]}
            await shop.kept(waiting(voucher))
        for refusal in job.refusals:
            faults += await row.refused(job, refusal)
    shop.wire.refusals = {"POST /batches": Busy()}
    for reason in REDEEMABLE_NOT:
        shop.wire.answers = {"POST /redemptions/verify": seen(reason)}
        faults += not_redeemable(reason, await row.told(listed[0]))
    assert faults == []
    shop.wire.answers, shop.wire.refusals = {"POST /batches": uploaded}, {}
    await shop.go("queue", "h1")
    await shop.tab.until(
        "(document.querySelector('#upload')?.click(),"
        f" document.querySelectorAll('#results li').length === {len(ITEM_REFUSED) + 1})"
    )
    items = await shop.tab.evaluate(
        "[...document.querySelectorAll('#results li')].map((one) => one.innerText)"
    )
    for reason in ITEM_REFUSED:
        assert any("被拒绝" in item and all(words in item for words in worded()[reason]) for item in items), (
            reason
        )
    assert any("冲突" in item and worded()["conflict"][1] in item for item in items)
    await shop.seen("items-refused")
    assert await shop.serious() == []
    # Other tests show what has a screen of its own: a key, or a number, that the platform does not know.
    elsewhere = {"conflict", "bad_signature", "unauthenticated", "request_unknown"}
    shown = {refusal.code for job in (*listed, ACTIVATION) for refusal in job.refusals}
    assert shown | {*REDEEMABLE_NOT, *ITEM_REFUSED} | elsewhere == set(worded())


async def test_a_camera_that_does_not_open_says_why_and_another_way(shop: Shop) -> None:
    await shop.activated("?trouble=1")
    troubles = {
        "NotReadableError": "正被别的程序使用",
        "NotAllowedError": "没有被允许",
        "NotFoundError": "没有摄像头",
    }
    for name, words in troubles.items():
        await shop.tab.evaluate(f"window.trouble = {json.dumps(name)}")
        await shop.tab.tap("#camera")
        assert "扫码枪" in await shop.noted(words)
        assert await shop.tab.evaluate(
            "document.querySelector('#camera').ariaPressed === 'false'"
            " && document.querySelector('#video').hidden"
        )
    await shop.seen("camera")
    assert await shop.serious() == []
    await shop.open("?blind=1")
    assert "扫码枪" in await shop.tab.text("#no-camera")
    assert await shop.tab.evaluate("document.querySelector('#camera') === null")
    await shop.sold(await shop.voucher("fitness"))


async def test_what_does_not_fit_into_the_browser_is_not_sent_and_the_page_says_so(shop: Shop) -> None:
    await shop.open()
    code = await shop.staff.activation_code(shop.institution)
    await shop.full(on=True)
    await shop.tab.type("#activation", code)
    await shop.tab.tap("#activate")
    assert "没有发送" in await shop.outcome("bad", "存储已满")
    await shop.full(on=False)
    await shop.tab.tap("#next")
    await shop.tab.type("#activation", code)
    await shop.tab.tap("#activate")
    voucher = await shop.voucher("fitness")
    await shop.check(voucher.code)
    await shop.tab.until("document.querySelector('#confirm') !== null")
    await shop.full(on=True)
    shop.wire.heard.clear()
    await shop.tab.tap("#confirm")
    assert "请清理浏览器空间" in await shop.outcome("bad", "存储已满")
    assert await shop.serious() == []
    await shop.seen("full")
    assert [asked for asked in shop.wire.heard if asked.startswith("POST")] == []
    assert await shop.written_off(voucher) == []
    await shop.full(on=False)
    await shop.next()
    await shop.sold(voucher)


async def test_a_wrong_clock_is_refused_once_learned_and_told(shop: Shop) -> None:
    ahead = (shop.kit.clock.now().timestamp() - time.time() + 12 * 60) * 1000
    refused = shop.tab.page.expect_response(lambda answer: answer.status == httpx.codes.UNAUTHORIZED)
    async with refused as answer:
        await shop.activated(f"?ahead={ahead:.0f}")
    assert (await (await answer.value).json())["code"] == "clock_skew"
    await shop.sold(await shop.voucher("fitness"))
    assert "时钟不准" in await shop.tab.text("#bar")
    await shop.tab.tap("#clock")
    await shop.tab.until("document.querySelector('main .note') !== null")
    told = await shop.tab.text("main .note")
    # The platform's clock stands still in tests, the browser's does not.
    assert (bool(re.search("比平台快 1[2-5] 分钟", told)), "请校准" in told) == (True, True)
    assert await shop.serious() == []
    await shop.seen("clock")
    await shop.open(f"?ahead={ahead - 12 * 60 * 1000:.0f}")
    assert await shop.tab.evaluate("document.querySelector('#clock') === null")


async def test_a_reversal_that_is_too_late_and_a_voucher_used_elsewhere_say_where_to_turn(
    shop: Shop, clock: ManualClock
) -> None:
    await shop.activated()
    await shop.sold(await shop.voucher("brief"))
    await shop.next()
    clock.advance(hours=2)
    await shop.go("undo", "#original")
    await shop.tab.tap(".chips .chip")
    await shop.tab.tap("#reverse")
    assert "请联系主管部门办理，报出单号" in await shop.outcome("bad", "已超过")
    await shop.seen("late")
    await shop.next()
    voucher = await shop.voucher("fitness")
    await shop.taken_offline(voucher)
    await (await shop.staff.till(shop.institution)).redeem(voucher.code)
    await shop.go("queue", "h1")
    await shop.tab.until(
        "(document.querySelector('#upload')?.click(), document.querySelector('#results .conflict') !== null)"
    )
    told = await shop.tab.text("#results .conflict")
    assert ("冲突" in told, "这一笔不结算" in told) == (True, True)
    assert await shop.serious() == []
    await shop.seen("conflict")


async def test_a_till_that_is_paused_revoked_or_without_its_key_says_how_it_goes_on(shop: Shop) -> None:
    await shop.activated()
    terminal, voucher = await shop.terminal(), await shop.voucher("fitness")
    pauses = {f"/terminals/{terminal}": "终端", f"/institutions/{shop.institution}": "机构"}
    for address, who in pauses.items():
        assert (await shop.staff.post(f"{address}/pause", {"reason": "盘点"})).is_success
        await shop.check(voucher.code)
        assert "冲正、查询和日结仍可用" in await shop.outcome("bad", f"本{who}已暂停")
        await shop.tab.until("(window.dispatchEvent(new Event('online')), document.querySelector('#paused'))")
        await shop.seen(f"paused-{'terminal' if who == '终端' else 'institution'}")
        await shop.next()
        assert (await shop.staff.post(f"{address}/resume", {"reason": "盘点完毕"})).is_success
    # It uploads as soon as it can: not before the terminal is revoked.
    shop.wire.refusals = {"POST /batches": Busy()}
    await shop.taken_offline(voucher)
    assert (await shop.staff.post(f"/terminals/{terminal}/revoke", {"reason": "遗失"})).is_success
    shop.wire.refusals = {}
    await shop.tab.until("(window.dispatchEvent(new Event('online')), document.querySelector('#activation'))")
    assert "换发激活码" in await shop.tab.text(".outcome.bad")
    assert await shop.serious() == []
    await shop.seen("revoked")
    # A browser that was tidied up: the till knows who it was, and cannot sign.
    await shop.tab.evaluate("""(async () => {
        const store = await import('/console/static/pos/store.js');
        const shelf = await store.openShelf();
        await shelf.write({ terminal: { ...(await shelf.read('terminal')), key: undefined } });
    })()""")
    await shop.reload()
    assert "密钥丢失" in await shop.tab.text(".outcome.bad")
    assert await shop.serious() == []
    await shop.seen("key-lost")
    assert "1 笔待上传" in await shop.tab.text("#bar")
    await shop.tab.type("#activation", await shop.staff.activation_code(shop.institution))
    await shop.tab.tap("#activate")
    await shop.tab.until("document.querySelector('#voucher') && !document.querySelector('#waiting')")
    assert await shop.written_off(voucher) == ["redeemed"]
    # A platform that does not know the till at all says the same.
    shop.wire.refusals = {"POST /redemptions/verify": Unauthenticated()}
    await shop.check(voucher.code)
    assert "换发激活码" in await shop.outcome("bad", "不能再核销")
