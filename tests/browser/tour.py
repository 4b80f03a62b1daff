"""Makes the documents' pictures: `make pictures`, or `python -m tests.browser.tour [ADDRESS SECRETS]`.

Starts a demonstration of its own (or takes one that runs), walks through it as the documents tell it, and
puts what a reader would see into docs/pictures, in Chinese, and into docs/pictures/en, in English.
"""

import asyncio
import io
import json
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from bench.simulator.clerks import Clerks, clerks_of, sign_in
from bench.simulator.platform import Platform, request_no
from deploy.demo_data.files import load_yaml
from deploy.local.folders import free_port
from tests.support.browser import Tab, browsing

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "pictures"
BYTES_MAX = 200_000

HALL, DESK, TABLET, PHONE = (1920, 1080), (1366, 768), (1024, 768), (390, 844)
_LANGUAGES = {"zh": "zh-CN", "en": "en"}
_CAMPAIGN, _PROGRAMME = "honghe-2020", "yueqing-2020"
_COLOURS = 256
_READY_SECONDS = 300.0
_PASSWORD = "Tour-2020-Honghe"

# Name → page, as the administrator sees it.
_DESK_PAGES = {
    "console-overview": "/console",
    "console-changes": "/console/changes",
    "console-imports": "/console/imports",
    "console-stock": f"/console/stock?campaign={_CAMPAIGN}",
    "console-campaign": f"/console/campaigns/{_CAMPAIGN}",
    "console-propose": f"/console/campaigns/{_CAMPAIGN}/propose",
    "console-planner": f"/console/planner?campaign={_CAMPAIGN}",
    "console-question-import": f"/console/questions/{_CAMPAIGN}/import",
    "console-question-statistics": f"/console/questions/statistics?campaign={_CAMPAIGN}",
    "console-reviews": "/console/reviews",
    "console-vouchers": f"/console/vouchers?campaign={_CAMPAIGN}",
    "console-institutions": "/console/institutions",
    "console-write-offs": "/console/write-offs",
    "console-settlements": "/console/settlements",
    "console-risk": "/console/risk/cases",
    "console-progress": "/console/quota/progress",
    "console-hospitals": "/console/quota/hospitals",
    "console-allocation": "/console/quota/allocation",
    "console-ranking": "/console/quota/rankings",
    "console-codes": "/console/quota/codes",
    "console-table-check": "/console/quota/table-check",
    "console-screen-links": "/console/screen-links",
    "console-jobs": "/console/jobs",
    "console-health": "/console/health",
    "console-integrity": "/console/integrity",
}


@dataclass(frozen=True, slots=True)
class Tour:
    """`staff` are session tokens by role, `language` is the one of these pictures."""

    base: str
    platform: Platform
    clerks: Clerks
    staff: dict[str, str]
    language: str

    async def keep(self, tab: Tab, name: str, size: tuple[int, int]) -> None:
        """The part of the page that one sees without scrolling, as small as it can be without looking so."""
        width, height = size
        shot = await tab.screenshot(width=width, height=height, mobile=size == PHONE)
        folder = FOLDER if self.language == "zh" else FOLDER / "en"
        await asyncio.to_thread(_written, shot, size, folder / f"{name}.png")

    async def before_the_draw(self) -> None:
        async with browsing(language=_LANGUAGES[self.language]) as tab:
            await self._sign_in_page(tab)
            await self._console(tab)
            await self._big_screen(tab)
            await self._institution_and_hospital(tab)

    async def draw_and_use(self) -> None:
        async with browsing(language=_LANGUAGES[self.language]) as tab:
            await self._till(tab, await self._citizen(tab))

    async def _sign_in_page(self, tab: Tab) -> None:
        await tab.size(width=DESK[0], height=DESK[1])
        await tab.open(f"{self.base}/console")
        await self.keep(tab, "sign-in", DESK)

    async def _as(self, tab: Tab, role: str) -> None:
        await tab.set_cookie("hv_console", self.staff[role], f"{self.base}/console")

    async def _console(self, tab: Tab) -> None:
        await self._as(tab, "admin")
        for name, page in _DESK_PAGES.items():
            await tab.open(f"{self.base}{page}")
            await self.keep(tab, name, DESK)
        for name, page, link in (
            ("console-institution", "/console/institutions", "main table a[href*='/institutions/ins_']"),
            ("console-settlement", "/console/settlements", "main table a[href*='/settlements/']"),
        ):
            await tab.open(f"{self.base}{page}")
            path = await tab.evaluate(f"document.querySelector({json.dumps(link)}).href")
            await tab.open(path)
            await self.keep(tab, name, DESK)

    async def _big_screen(self, tab: Tab) -> None:
        await tab.size(width=HALL[0], height=HALL[1])
        await tab.open(f"{self.base}/screen")
        await tab.until("document.querySelector('[data-value]:not([data-value=\"\"])') !== null")
        # The lines draw themselves.
        await asyncio.sleep(2)
        await self.keep(tab, "screen", HALL)

    async def _institution_and_hospital(self, tab: Tab) -> None:
        for role, pages in (
            (
                "institution",
                {
                    "institution-home": "/console/own",
                    "institution": "/console/institutions/own",
                    "institution-settlements": "/console/settlements",
                },
            ),
            (
                "hospital",
                {"hospital": "/console/hospital", "hospital-sub-codes": "/console/hospital/sub-codes"},
            ),
        ):
            await self._as(tab, role)
            for name, page in pages.items():
                await tab.open(f"{self.base}{page}")
                await self.keep(tab, name, DESK)

    async def _citizen(self, tab: Tab) -> str:
        """From opening to a voucher; returns its digits."""
        await tab.size(width=PHONE[0], height=PHONE[1], mobile=True)
        await tab.open(f"{self.base}/app?campaign={_CAMPAIGN}")
        await tab.tap("main button.primary.big")
        await _there(tab, ".ways")
        await self.keep(tab, "citizen-today", PHONE)
        await tab.tap("#start-quiz")
        await _there(tab, ".option")
        await self.keep(tab, "citizen-question", PHONE)
        await _answer(tab)
        await tab.tap("#hand-in")
        await _there(tab, ".outcome")
        await self.keep(tab, "citizen-result", PHONE)
        await tab.tap("#draw")
        await tab.tap("#example-identity")
        await _there(tab, ".choices")
        await self.keep(tab, "citizen-won", PHONE)
        await tab.tap(".choice[data-type=general_50] > button")
        await tab.tap(".choice[data-type=general_50] .sure .primary")
        await _there(tab, ".code svg")
        await self.keep(tab, "citizen-voucher", PHONE)
        digits = await tab.text(".digits")
        await tab.evaluate("location.hash = '#/wallet'")
        await _there(tab, ".ticket.issued")
        await self.keep(tab, "citizen-wallet", PHONE)
        return digits.replace(" ", "").replace("\n", "")

    async def _till(self, tab: Tab, code: str) -> None:
        listed = await self.platform.get(
            f"/redemption/v1/institutions?campaign={_CAMPAIGN}&voucher_type=general_50",
            headers=self.clerks.first,
        )
        activation = await self.clerks.activation_code(listed["items"][0]["id"], f"收银台 {self.language}")
        await tab.size(width=TABLET[0], height=TABLET[1])
        await tab.open(f"{self.base}/pos")
        await _there(tab, "#activation")
        await self.keep(tab, "till-activation", TABLET)
        await tab.type("#activation", activation)
        await tab.tap("#activate")
        await _there(tab, "#voucher")
        for key in "128":
            await tab.tap(f"[data-key='{key}']")
        await tab.type("#voucher", code)
        await self.keep(tab, "till-sale", TABLET)
        await tab.tap("#check")
        await _there(tab, "#confirm")
        await self.keep(tab, "till-confirm", TABLET)
        await tab.tap("#confirm")
        await _there(tab, ".outcome.good")
        await self.keep(tab, "till-done", TABLET)
        await tab.tap("#next")
        await _there(tab, "#voucher")
        for name, route, ready in (("till-undo", "undo", "#original"), ("till-close", "close", "#day")):
            await tab.tap(f"#tabs a[href='#/{route}']")
            await _there(tab, f"main:not([aria-busy]) {ready}")
            await self.keep(tab, name, TABLET)


def _written(shot: bytes, size: tuple[int, int], path: Path) -> None:
    with Image.open(io.BytesIO(shot)) as whole:
        seen = whole.convert("RGB").crop((0, 0, min(size[0], whole.width), min(size[1], whole.height)))
    path.parent.mkdir(parents=True, exist_ok=True)
    # On the dark screen the median cut takes rare colours, which are the ones that mean something, for grey;
    # on light pages the octree takes their ground for the white of what lies on it.
    way = Image.Quantize.FASTOCTREE if size == HALL else Image.Quantize.MEDIANCUT
    seen.quantize(_COLOURS, way, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > BYTES_MAX:
        raise ValueError(f"{path.name}: {path.stat().st_size} bytes")


async def _there(tab: Tab, selector: str) -> None:
    await tab.until(
        f"document.querySelector({json.dumps(selector)}) !== null"
        " && document.querySelector('main').getAttribute('aria-busy') !== 'true'"
    )


async def _answer(tab: Tab) -> None:
    """Every question rightly: which one it is, its options tell."""
    questions = load_yaml("honghe_questions.yaml")
    right_of = {
        frozenset(one["options"].values()): {one["options"][letter] for letter in one["answer"]}
        for one in questions
    }
    while not await tab.evaluate("document.querySelector('#hand-in') !== null"):
        shown = await tab.text(".count")
        options: dict[str, str] = dict(
            json.loads(
                await tab.evaluate(
                    "JSON.stringify([...document.querySelectorAll('.option')]"
                    ".map((one) => [one.querySelector('span').innerText, one.dataset.key]))"
                )
            )
        )
        right = right_of[frozenset(options)]
        several = await tab.evaluate("document.querySelector('.quiz .row .primary') !== null")
        for words in sorted(right):
            await tab.tap(f".option[data-key={options[words]}]")
        if several:
            await tab.tap(".quiz .row .primary")
        await tab.until(f"document.querySelector('.count').innerText !== {json.dumps(shown)}")


async def _staff(platform: Platform, clerks: Clerks) -> dict[str, str]:
    """Accounts of an institution and of a hospital, signed in, beside the administrator's."""
    paid = await platform.get(f"/redemption/v1/settlements?campaign={_CAMPAIGN}", headers=clerks.first)
    hospitals = await platform.get(f"/quota/v1/programmes/{_PROGRAMME}/hospitals", headers=clerks.first)
    tokens = {"admin": _token(clerks.first)}
    for role, bound in (
        ("institution", {"institution_id": paid["items"][0]["institution_id"]}),
        ("hospital", {"hospital_id": hospitals["items"][0]["hospital_id"]}),
    ):
        account = {"username": f"{role}-{request_no()[:6]}", "password": _PASSWORD, "roles": [role], **bound}
        await platform.post("/console/v1/staff", account, headers=clerks.first)
        tokens[role] = _token(await sign_in(platform, account["username"], _PASSWORD))
    return tokens


def _token(headers: dict[str, str]) -> str:
    return headers["Authorization"].removeprefix("Bearer ")


async def walk(base: str, secrets: dict[str, Any]) -> None:
    async with Platform(base) as platform:
        clerks = await clerks_of(
            platform, username=secrets["HV_ADMIN_USERNAME"], password=secrets["HV_ADMIN_PASSWORD"]
        )
        odds = f"/issuance/v1/campaigns/{_CAMPAIGN}/phases/1/odds"
        staff = await _staff(platform, clerks)
        # Reviews are in the hands of whoever looks.
        await platform.post("/issuance/v1/activities/claim", {"limit": 5}, headers=clerks.first)
        # Something waits in the inbox: the first clerk proposed it, the second one looks at it.
        change = await platform.post(
            odds, {"odds": "0.25", "reason": "第一周用券进度偏慢"}, headers=clerks.second
        )
        tours = [Tour(base, platform, clerks, staff, language) for language in _LANGUAGES]
        await asyncio.gather(*(tour.before_the_draw() for tour in tours))
        await platform.post(
            f"/issuance/v1/changes/{change.body['change_id']}/reject",
            {"reason": "已另行安排"},
            headers=clerks.first,
        )
        await clerks.approved("issuance", odds.removeprefix("/issuance/v1/"), {"odds": "1", "reason": "演示"})
        await asyncio.gather(*(tour.draw_and_use() for tour in tours))


@asynccontextmanager
async def demonstration() -> AsyncIterator[tuple[str, dict[str, Any]]]:
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="hv-tour-", ignore_cleanup_errors=True) as home:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deploy.cli", "demo", "--port", str(port), "--data-dir", home,
            cwd=ROOT, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            await asyncio.wait_for(_ready(process), _READY_SECONDS)
            secrets = json.loads(await asyncio.to_thread(Path(home, "secrets.json").read_text))
            yield f"http://127.0.0.1:{port}", secrets
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.communicate()


async def _ready(process: asyncio.subprocess.Process) -> None:
    """The story is told before the table of addresses."""
    assert process.stdout is not None
    while line := await process.stdout.readline():
        if b"data, keys, logs" in line:
            return
    raise RuntimeError("the demonstration ended before it was ready")


async def main(given: list[str]) -> None:
    if given:
        await walk(given[0], json.loads(await asyncio.to_thread(Path(given[1]).read_text)))
    else:
        async with demonstration() as (base, secrets):
            await walk(base, secrets)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
