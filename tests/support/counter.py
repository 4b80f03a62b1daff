"""A counter with a till in the browser: the page, the line to the platform, and what a device has."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import text
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Refusal
from shared.http.problems import language_of, problem_response
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.browser import Tab, look
from tests.support.tills import Bureau
from tests.support.vouchers import HeldVoucher, held_voucher

AXE = Path(__file__).resolve().parents[1] / "browser" / "vendor" / "axe-core-4.14.1" / "axe.min.js"
TABLET: dict[str, Any] = {"width": 1024, "height": 768}
REQUEST_ID = "0198c7a2f3d07e6c"
PHONE: dict[str, Any] = {"width": 390, "height": 844, "mobile": True}

# What a device has that this browser has not: asked for by the address, so that all tests share one tab.
# The pauses between two tries (line.js) prove nothing here and are most of the time a test would take.
DEVICE = """
{
    const later = window.setTimeout;
    window.setTimeout = (act, ms, ...more) => later(act, ms === 300 || ms === 600 ? ms / 20 : ms, ...more);
    const ahead = Number(new URLSearchParams(location.search).get('ahead'));
    const now = Date.now;
    Date.now = () => now() + ahead;
    // A demonstration's clock is moved on purpose, and its page says nothing of a clock: no demonstration.
    const plain = () => { document.documentElement.dataset.demo = 'false'; };
    if (ahead) document.addEventListener('readystatechange', plain);
}
{
    const put = IDBObjectStore.prototype.put;
    IDBObjectStore.prototype.put = function kept(...given) {
        if (window.full) throw new DOMException('no room', 'QuotaExceededError');
        return put.apply(this, given);
    };
}
if (location.search.includes('blind')) Object.defineProperty(navigator, 'mediaDevices', { value: undefined });
if (location.search.includes('trouble')) {
    navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', window.trouble); };
}
if (location.search.includes('insecure')) Object.defineProperty(window, 'isSecureContext', { value: false });
if (location.search.includes('camera')) {
    const seen = () => (window.held ? [{ rawValue: window.held }] : []);
    window.BarcodeDetector = class { async detect() { return seen(); } };
    navigator.mediaDevices.getUserMedia = async () => {
        const canvas = document.createElement('canvas');
        const pen = canvas.getContext('2d');
        setInterval(() => pen.fillRect(0, 0, 9, 9), 50);
        return canvas.captureStream(20);
    };
}
if (location.search.includes('lens')) {
    delete window.BarcodeDetector;
    navigator.mediaDevices.getUserMedia = async () => {
        if (!window.held) throw new DOMException('no', 'NotAllowedError');
        const { default: encode } = await import('/console/static/vendor/qr-0.7.0/index.js');
        const dots = encode(window.held, 'raw', { ecc: 'medium', border: 4 });
        const canvas = document.createElement('canvas');
        canvas.width = 480;
        canvas.height = 360;
        const pen = canvas.getContext('2d');
        setInterval(() => {
            pen.fillStyle = '#ddd';
            pen.fillRect(0, 0, 480, 360);
            pen.fillStyle = '#222';
            dots.forEach((row, y) => row.forEach((dark, x) => {
                if (dark) pen.fillRect(90 + x * 7, 40 + y * 7, 7, 7);
            }));
        }, 50);
        return canvas.captureStream(20);
    };
}
if (location.search.includes('loud')) {
    window.tones = [];
    const gain = { gain: {}, connect: () => undefined };
    window.AudioContext = class {
        constructor() { this.currentTime = 0; }
        createGain() { return gain; }
        createOscillator() {
            const tone = { frequency: {}, connect: () => gain, stop: () => undefined };
            return Object.assign(tone, { start: () => window.tones.push(tone.frequency.value) });
        }
    };
    Object.defineProperty(navigator, 'userActivation', { value: { hasBeenActive: true } });
}
"""


class Wire:
    """What stands between the till and the platform, and what it does to it.

    `down`: a gateway that reaches nothing. `deaf`: what is sent arrives, and no answer comes back.
    `refusals` answers what ends so (method, end of the path) with the document that the platform itself makes
    of that refusal: not every refusal can be had from a platform that is right. `answers`: likewise, what is
    made of the body. `heard`: what was asked.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.state: Literal["up", "down", "deaf"] = "up"
        self.refusals: dict[str, Refusal] = {}
        self.answers: dict[str, Callable[[Any], dict[str, Any]]] = {}
        self.heard: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = f"{scope.get('method')} {scope.get('path')}"
        self.heard.append(asked)
        refusal = next((one for end, one in self.refusals.items() if _is(asked, end)), None)
        if scope["type"] == "http" and refusal is not None:
            language = language_of(Headers(scope=scope))
            answer = problem_response(refusal, language=language, request_id=REQUEST_ID)
            await answer(scope, receive, send)
            return
        told = next((one for end, one in self.answers.items() if _is(asked, end)), None)
        if told is not None:
            await JSONResponse(told(await Request(scope, receive).json()))(scope, receive, send)
            return
        if scope["type"] != "http" or self.state == "up":
            await self._app(scope, receive, send)
            return
        if self.state == "deaf" and scope["method"] == "POST":
            await self._app(scope, receive, _lost)
        await send({"type": "http.response.start", "status": 502, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


def _is(asked: str, end: str) -> bool:
    method, path = end.split(" ")
    return asked.startswith(f"{method} ") and asked.endswith(path)


async def _lost(_message: Message) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Shop:
    """A till in the browser and what stands behind it."""

    tab: Tab
    address: str
    wire: Wire
    staff: Bureau
    kit: Kit
    campaign: CampaignRef
    institution: str

    async def activated(self, query: str = "") -> None:
        await self.open(query)
        await self.tab.type("#activation", await self.staff.activation_code(self.institution))
        await self.tab.tap("#activate")
        await self.tab.until("document.querySelector('#voucher') !== null")

    async def open(self, query: str = "") -> None:
        await self.tab.open(f"{self.address}/pos{query}")
        await self.ready()

    async def ready(self) -> None:
        await self.tab.until(
            "document.documentElement?.dataset.ready === 'true' && document.querySelector('main h1') !== null"
        )

    async def reload(self) -> None:
        await self.tab.evaluate("document.documentElement.dataset.ready = 'old'; location.reload()")
        await self.ready()

    async def go(self, route: str, selector: str) -> None:
        await self.tab.tap(f"#tabs a[href='#/{route}']")
        await self.tab.until(f"document.querySelector('main:not([aria-busy]) {selector}') !== null")

    async def bill(self, typed: str) -> None:
        for key in typed:
            await self.tab.tap(f"[data-key='{key}']")

    async def check(self, code: str) -> None:
        await self.tab.until("document.querySelector('#voucher') !== null")
        await self.tab.type("#voucher", code)
        await self.tab.tap("#check")

    async def outcome(self, kind: str, words: str = "") -> str:
        """What it says, once it says these words."""
        await self.tab.until(
            f"(document.querySelector('.outcome.{kind}')?.innerText ?? 'none').includes({json.dumps(words)})"
            f" && document.querySelector('.outcome.{kind}') !== null"
        )
        return await self.tab.text(".outcome")

    async def sold(self, voucher: HeldVoucher, bill: str = "") -> str:
        """Written off as a cashier does; what the outcome says."""
        await self.bill(bill)
        await self.check(voucher.code)
        await self.tab.tap("#confirm")
        return await self.outcome("good")

    async def next(self) -> None:
        await self.tab.tap("#next")
        await self.tab.until("document.querySelector('#voucher') !== null")

    async def written_off(self, voucher: HeldVoucher) -> list[str]:
        """The states of all write-offs of a voucher."""
        sql = text("SELECT state FROM redemption.redemption WHERE voucher_id = :id ORDER BY redeemed_at")
        async with self.kit.database.snapshot() as tx:
            return list((await tx.execute(sql, {"id": voucher.id})).scalars())

    async def voucher(self, kind: str = "general_50") -> HeldVoucher:
        return await held_voucher(self.kit, self.campaign, kind)

    async def serious(self) -> list[str]:
        """What a person with a screen reader or a keyboard would stumble over."""
        if not await self.tab.evaluate("'axe' in window"):
            await self.tab.evaluate(AXE.read_text(encoding="utf-8") + ";0")
        # Only what it objects to is told at length.
        found = await self.tab.evaluate(
            "axe.run({ resultTypes: ['violations'] })"
            ".then((told) => JSON.stringify(told.violations.filter(({ impact }) =>"
            " ['serious', 'critical'].includes(impact)).map(({ id, nodes }) =>"
            " `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)))"
        )
        told: list[str] = json.loads(found)
        return told

    async def kept(self, changes: dict[str, Any]) -> None:
        """Written into what the till keeps; None removes."""
        await self.tab.evaluate(f"""(async () => {{
            const store = await import('/console/static/pos/store.js');
            await (await store.openShelf()).write({json.dumps(changes)});
        }})()""")

    async def terminal(self) -> str:
        """Its number."""
        found: str = await self.tab.evaluate("""(async () => {
            const store = await import('/console/static/pos/store.js');
            return (await (await store.openShelf()).read('terminal')).terminal_id;
        })()""")
        return found

    async def full(self, *, on: bool) -> None:
        """Whether the browser has no room for what this page writes down."""
        await self.tab.evaluate(f"window.full = {json.dumps(on)}")

    async def taken_offline(self, voucher: HeldVoucher) -> None:
        """A voucher that is accepted while there is no line."""
        self.wire.state = "down"
        await self.check(voucher.code)
        await self.tab.tap("#take-offline")
        await self.outcome("unknown", "已离线收下")
        self.wire.state = "up"
        await self.next()

    async def noted(self, words: str) -> str:
        """What the line above the page says, once it says these words."""
        await self.tab.until(f"document.getElementById('note').innerText.includes({json.dumps(words)})")
        return await self.tab.text("#note")

    async def seen(self, name: str) -> None:
        """It fits a tablet and a phone; and a picture of each."""
        for kind, size in (("phone", PHONE), ("tablet", TABLET)):
            await self.tab.size(**size)
            wide = await self.tab.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, f"{name} is {wide} px wider than a {kind}"
            await look(self.tab, f"pos-{name}-{kind}", **size)
