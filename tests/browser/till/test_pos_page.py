"""The till in a real browser with the real platform behind: its jobs, and a line that breaks."""

import json
from pathlib import Path

from tests.support.counter import Shop

VECTORS = Path(__file__).resolve().parents[3] / "docs" / "signing-vectors.json"


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
