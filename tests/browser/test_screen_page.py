"""The big screen in a real browser: the figures of its call, drawn; old figures are called old."""

import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from deploy.local.asgi import OneOrigin
from services.console.app import create_app as console
from services.quota.app import create_app as quota
from shared.clock import ManualClock, local_day
from shared.identity.staff import Role
from shared.ids import new_id
from shared.kit import Kit
from shared.metrics.store import add
from shared.settings import Settings
from tests.support.browser import Tab, browsing, look
from tests.support.campaigns import publish_campaign
from tests.support.http import listening, serving
from tests.support.people import signed_in_staff
from tests.support.quota import Programme, bureau_of

HALL, DESK = (1920, 1080), (1366, 768)
DAYS = 36
TYPES = (
    "健康体检券",
    "健身券",
    "口腔保健券",
    "中医保健券",
    "疫苗接种券",
    "通用消费券50元",
    "通用消费券100元",
)
COUNTIES = (
    "蒙自市",
    "个旧市",
    "开远市",
    "弥勒市",
    "建水县",
    "石屏县",
    "泸西县",
    "元阳县",
    "红河县",
    "绿春县",
    "",
)
PAYERS = ("州本级财政", "县市财政", "相关服务机构", "州级医保资金")
_INSTITUTION = text("""
    INSERT INTO redemption.institution (id, name, category, county, created_by, created_at)
    VALUES (:id, :name, '医院', NULLIF(:county, ''), :by, :now)
""")
_MEMBER = text("""
    INSERT INTO redemption.membership (institution_id, campaign_id, accepts, since)
    VALUES (:id, :campaign, ARRAY['t0'], :now)
""")


def _type(number: int, name: str) -> dict[str, Any]:
    general = number >= len(TYPES) - 2
    price = {"face_value_fen" if general else "settlement_price_fen": 5_000 + 2_500 * number}
    kind = "general" if general else "directed"
    return {"key": f"t{number}", "kind": kind, "name": name, "validity_days": 60, **price}


async def _vouchers(kit: Kit, slug: str) -> None:
    """A campaign of five weeks, in rolled-up figures: more on some days, more in some places."""
    campaign = await publish_campaign(
        kit,
        slug=slug,
        title="红河州全民健康消费券活动（第三期）",
        voucher_types=[_type(number, name) for number, name in enumerate(TYPES)],
        every_phase={"stock": {f"t{number}": 4000 + 900 * number for number in range(len(TYPES))}},
        stock={},
        funding_sources=[
            {"key": f"p{n}", "name": name, "share": share}
            for n, (name, share) in enumerate(zip(PAYERS, ("0.40", "0.25", "0.20", "0.15"), strict=True))
        ],
    )
    now, today = kit.clock.now(), local_day(kit.clock.now(), "Asia/Shanghai")
    ids = [f"i{number:02}-{secrets.token_hex(3)}" for number in range(18)]
    async with kit.database.transaction() as tx:
        for number, key in enumerate(ids):
            place = COUNTIES[number % len(COUNTIES)]
            name = f"{place or '州级'}{('人民医院', '中医医院', '康复护理与健康体检中心')[number % 3]}"
            values = {"id": key, "name": name, "county": place, "by": new_id(), "now": now}
            await tx.execute(_INSTITUTION, values)
            await tx.execute(_MEMBER, {"id": key, "campaign": campaign.id, "now": now})
        for back in range(DAYS):
            day, n = today - timedelta(days=back), 900 + (DAYS - back) * 37 + (back * 7919 % 400)
            for measure, dim, count in (
                ("attempt", "passed", n * 62 // 100),
                ("attempt", "failed", n * 38 // 100),
                ("participant", "", n * 7 // 10),
                ("chance", "quiz", n * 7 // 10),
                ("draw", "won", n * 13 // 100),
                ("draw", "lost", n * 52 // 100),
            ):
                await add(tx, campaign.id, day, measure, dim=dim, n=count)
            for number in range(len(TYPES)):
                price, many = 5_000 + 2_500 * number, n * (number + 2) // 300
                await add(
                    tx, campaign.id, day, "issue", dim=f"t{number}", n=many, amounts_fen=_split(many * price)
                )
                used, key = many * 2 // 3, ids[(back * 5 + number * number) % len(ids)]
                await add(
                    tx,
                    campaign.id,
                    day,
                    "redeem",
                    dim=f"t{number}",
                    dim2=key,
                    n=used,
                    amounts_fen=_split(used * price),
                )
        await add(tx, campaign.id, today, "pay", n=1, amounts_fen=_split(20_000_000))


def _split(fen: int) -> list[int]:
    return [fen * 40 // 100, fen * 25 // 100, fen * 20 // 100, fen - fen * 85 // 100]


async def _cards(kit: Kit, programme: Programme, scope: UUID) -> None:
    today = local_day(kit.clock.now(), "Asia/Shanghai")
    async with kit.database.transaction() as tx:
        for back in range(40):
            for number, hospital in enumerate(programme.hospitals):
                n = (back * 31 + number * 17) % (9 + number)
                day = today - timedelta(days=back)
                await add(tx, scope, day, "card", dim=hospital["hospital_id"], n=n)
                await add(tx, scope, day, "card_used", dim=hospital["hospital_id"], n=n // 4)
        await add(tx, scope, today, "card", n=37)


@dataclass(frozen=True, slots=True)
class Shown:
    address: str
    query: str
    operator: dict[str, str]
    client: httpx.AsyncClient

    async def link(self, **body: object) -> dict[str, Any]:
        answer = await self.client.post(
            "/console/v1/screen-links", json={"label": "指挥中心", **body}, headers=self.operator
        )
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        made["token"] = made["url"].partition("#")[2]
        return made

    def at(self, token: str, language: str = "zh") -> str:
        return f"{self.address}/screen?{self.query}&lang={language}#{token}"

    async def told(self) -> dict[str, Any]:
        answer = await self.client.get(f"/console/v1/screen?{self.query}", headers=self.operator)
        view: dict[str, Any] = answer.json()
        return view


@pytest.fixture(scope="module")
async def shown(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Shown]:
    quick = settings.model_copy(update={"screen_refresh_seconds": 1})
    apps = {"console": console(quick, clock=clock), "quota": quota(settings, clock=clock)}
    async with (
        listening(OneOrigin(apps, rest="console")) as address,
        serving(quota=quota(settings, clock=clock)) as client,
        httpx.AsyncClient(base_url=address) as browser,
    ):
        slug, cards = (f"screen-{secrets.token_hex(4)}" for _ in range(2))
        await _vouchers(kit, slug)
        bureau = await bureau_of(client, kit)
        rows = [
            (
                ("城区医共体", "柳市医共体", "虹桥医共体", "大荆医共体", "")[n % 5],
                f"第{n + 1}人民医院",
                80 + n * 9,
            )
            for n in range(24)
        ]
        programme = await bureau.programme(
            cards,
            *rows,
            total=9000,
            title="乐清市电子健康卡发卡任务",
            target_cards=16_500,
            issued_before={"as_of": "2020-07-31", "cards": 2_400},
            remaining_exact=14_100,
        )
        await _cards(kit, programme, await programme.row_id())
        operator = await signed_in_staff(kit, Role.OPERATOR)
        yield Shown(address, f"campaign={slug}&programme={cards}", operator, browser)


@pytest.fixture(scope="module")
async def tab(shown: Shown) -> AsyncIterator[Tab]:
    """One for all: at its end the browser had nothing to complain of, asked nobody else, told no token."""
    async with browsing() as opened:
        await opened.size(width=HALL[0], height=HALL[1])
        yield opened
        assert opened.complaints == []
        assert [one for one in opened.asked if not one.startswith((shown.address, "data:"))] == []
        assert [one for one in opened.asked if "scr_" in one.partition("#")[0]] == []


AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
SERIOUS = """axe.run().then((told) => JSON.stringify(told.violations.filter(({ impact }) =>
    ['serious', 'critical'].includes(impact)).map(({ id, nodes }) =>
    `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)))"""
# Answers as of a process that could not read anew: each says that it is an hour old.
AGED = """const asked = window.fetch;
window.fetch = (...call) => asked(...call).then(({status, body, headers}) =>
    new Response(status === 304 ? null : body,
        {status, headers: {...Object.fromEntries(headers), age: '3600'}}));0"""
# How many colours each canvas has; read from a copy that is made to be read.
PAINTED = """JSON.stringify(Array.from(document.querySelectorAll('canvas')).map((canvas) => {
    const copy = document.createElement('canvas');
    Object.assign(copy, {width: canvas.width, height: canvas.height});
    const pen = copy.getContext('2d', {willReadFrequently: true});
    pen.drawImage(canvas, 0, 0);
    const drawn = pen.getImageData(0, 0, copy.width, copy.height).data;
    const colours = new Set();
    for (let at = 0; at < drawn.length; at += 4) {
        if (drawn[at + 3]) { colours.add(drawn[at] << 16 | drawn[at + 1] << 8 | drawn[at + 2]); }
    }
    return colours.size;
}))"""
OVERFLOW = """JSON.stringify([document.documentElement.scrollWidth - innerWidth,
    document.documentElement.scrollHeight - innerHeight,
    Array.from(document.querySelectorAll('.inside > *, .tile dd.figure')).filter((one) =>
        (one.parentNode.className === 'inside' && one.scrollHeight > one.clientHeight + 2)
        || one.scrollWidth > one.clientWidth + 2
    ).map((one) => one.parentNode.id)])"""


async def test_the_screen_draws_the_numbers_of_its_call(shown: Shown, tab: Tab) -> None:
    view, link = await shown.told(), await shown.link()
    await tab.open(shown.at(link["token"]))
    await tab.until("document.querySelectorAll('canvas').length === 5")
    tiles = json.loads(
        await tab.evaluate(
            "JSON.stringify(Array.from(document.querySelectorAll('.tile')).map((tile) =>"
            " [tile.id.slice(5), tile.querySelector('.figure').dataset.value]))"
        )
    )
    total, cards = view["campaign"]["total"], view["programme"]
    wanted = {name: total[name] for name in ("attempts", "draws", "issued", "redeemed", "redeemed_fen")}
    wanted |= {"cards": cards["issued"], "rate": cards["rate"], "unattributed": cards["unattributed"]}
    assert dict(tiles) == {name: str(value) for name, value in wanted.items()}
    # Figures roll to what was told, and stay in their places meanwhile.
    await tab.until(f"document.querySelector('#tile-issued .figure').textContent === '{total['issued']:,}'")
    assert await tab.text("#as-of") == view["as_of"][:19].replace("T", " ")
    drawn = await tab.text("#counties")
    assert all(one["county"] in drawn for one in view["campaign"]["counties"])
    assert "示意图" in await tab.text("#counties-note")
    assert view["campaign"]["payers"][0]["name"] in await tab.text("#payers")
    first = view["campaign"]["institutions"][0]
    assert first["name"] in await tab.text("#institutions")
    assert view["programme"]["hospitals"][0]["name"] in await tab.text("#hospitals")
    await tab.evaluate("new Promise((done) => setTimeout(done, 700))")
    await tab.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    assert json.loads(await tab.evaluate(SERIOUS)) == []
    for name, (width, height) in (("hall", HALL), ("desk", DESK)):
        await tab.size(width=width, height=height)
        await tab.until(f"innerWidth === {width}")
        await tab.evaluate("new Promise((done) => setTimeout(done, 700))")
        assert min(json.loads(await tab.evaluate(PAINTED))) > 5, "a canvas is blank"
        await look(tab, f"screen-{name}", width=width, height=height)
        assert json.loads(await tab.evaluate(OVERFLOW)) == [0, 0, []], name
    await tab.size(width=HALL[0], height=HALL[1])
    await tab.open(shown.at(link["token"], "en"))
    await tab.until("document.querySelectorAll('canvas').length === 5")
    assert "Vouchers issued" in await tab.text("#tile-issued")
    await tab.evaluate("new Promise((done) => setTimeout(done, 700))")
    await look(tab, "screen-english", width=HALL[0], height=HALL[1])


async def test_a_screen_without_a_network_says_how_old_its_figures_are(shown: Shown, tab: Tab) -> None:
    link = await shown.link()
    await tab.open(shown.at(link["token"]))
    await tab.until("document.querySelectorAll('canvas').length === 5")
    assert await tab.evaluate("document.getElementById('banner').hidden")
    await tab.offline()
    # An answer that was on its way may still arrive; the next question does not.
    await tab.until("document.getElementById('banner').textContent.includes('网络或服务中断')")
    await tab.until(
        "document.getElementById('banner').textContent.includes(document.getElementById('as-of').textContent)"
    )
    assert json.loads(await tab.evaluate(OVERFLOW)) == [0, 0, []]
    await look(tab, "screen-offline", width=HALL[0], height=HALL[1])
    await tab.offline(off=False)
    await tab.until("document.getElementById('banner').hidden")


async def test_figures_that_were_not_read_anew_are_called_old(shown: Shown, tab: Tab) -> None:
    link = await shown.link()
    await tab.open(shown.at(link["token"], "en"))
    await tab.until("document.querySelectorAll('canvas').length === 5")
    await tab.evaluate(AGED)
    await tab.until(
        "document.getElementById('banner').textContent.startsWith('The figures were not renewed')"
    )
    assert await tab.text("#as-of") in await tab.text("#banner")


async def test_a_revoked_link_closes_the_screen_that_shows_it(shown: Shown, tab: Tab) -> None:
    link = await shown.link()
    await tab.open(shown.at(link["token"]))
    await tab.until("document.querySelectorAll('canvas').length === 5")
    revoke = f"/console/v1/screen-links/{link['link_id']}/revoke"
    await shown.client.post(revoke, json={"reason": "会议结束"}, headers=shown.operator)
    await tab.until("document.getElementById('reason').dataset.code === 'screen_link_revoked'")
    assert "已撤销" in await tab.text("#closed")
    assert not await tab.evaluate("document.getElementById('main').offsetParent")
    await look(tab, "screen-closed", width=DESK[0], height=DESK[1])
    await tab.open(shown.at("scr_nobody"))
    await tab.until("document.getElementById('reason').dataset.code === 'screen_link_unknown'")


async def test_an_expired_link_is_refused(shown: Shown, tab: Tab, clock: ManualClock) -> None:
    link = await shown.link(valid_days=1)
    before: datetime = clock.now()
    clock.advance(days=1)
    await tab.open(shown.at(link["token"]))
    await tab.until("document.getElementById('reason').dataset.code === 'screen_link_expired'")
    assert "已过期" in await tab.text("#closed")
    clock.set(before)


async def test_who_is_signed_in_needs_no_link(shown: Shown, tab: Tab) -> None:
    await tab.open(f"{shown.address}/screen?lang=zh")
    await tab.until("document.getElementById('reason').dataset.code === 'unauthenticated'")
    token = shown.operator["Authorization"].removeprefix("Bearer ")
    await tab.set_cookie("hv_console", token, url=f"{shown.address}/console")
    await tab.until("document.querySelectorAll('canvas').length === 5")
    await tab.open(f"{shown.address}/console/screen-links")
    await tab.type("input[name=label]", "一楼大厅")
    await tab.tap("main form .button")
    await tab.until("document.querySelector('input.token') !== null")
    await tab.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    assert json.loads(await tab.evaluate(SERIOUS)) == []
    await look(tab, "screen-links", width=DESK[0], height=DESK[1])
