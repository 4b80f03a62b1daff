"""The till in a real browser with the real platform behind: what it is refused, and what it does about it."""

import json
import re
import time

import httpx

from shared.clock import ManualClock
from shared.errors import Busy, Unauthenticated
from tests.support.counter import Shop
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
