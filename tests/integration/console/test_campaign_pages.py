"""Campaigns' pages: what is shown, what the forms propose, and every refusal with what was typed."""

import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import yaml

from shared.clock import ManualClock
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import definition, publish_campaign
from tests.support.pages import form_of, signed_in, text_of, whole_console
from tests.support.people import signed_in_staff

PAGE = "/console/campaigns"


@dataclass(frozen=True, slots=True)
class Desk:
    client: httpx.AsyncClient
    headers: dict[str, str]
    slug: str

    async def sent(self, act: str, **form: str) -> httpx.Response:
        page = await self.client.get(f"{PAGE}/{self.slug}/propose", params={"phase": 1})
        fields = {**form_of(page), "reason": "节前调整", **form}
        return await self.client.post(f"{PAGE}/{self.slug}/propose/1/{act}", data=fields)

    async def newest(self) -> Mapping[str, Any]:
        answer = await self.client.get("/issuance/v1/changes", headers=self.headers)
        change: Mapping[str, Any] = answer.json()["items"][0]
        return change


@pytest.fixture(scope="module")
async def desk(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Desk]:
    async with whole_console(settings, clock) as client:
        campaign = await publish_campaign(
            kit,
            slug=f"shown-{secrets.token_hex(4)}",
            phases=2,
            assumed=["phases.2.odds"],
            quiz={"min_seconds": 9},
        )
        headers = await signed_in_staff(kit, Role.OPERATOR)
        yield Desk(signed_in(client, headers), headers, campaign.slug)


async def test_list_and_detail_show_the_campaign(desk: Desk) -> None:
    listed = text_of(await desk.client.get(PAGE))
    assert "全民健康消费券测试活动" in listed
    assert "20%" in listed
    page = await desk.client.get(f"{PAGE}/{desk.slug}")
    shown = text_of(page)
    for fact in (
        "60 分及格，每天 3 次，限时 300 秒",
        "不少于 9 秒",
        "checkup券",
        "10 / 10",
        "10,000,000.00 元",
        "州本级财政 40% · 4,000,000.00 元",
        "线下活动 1 1 自动",
        "每日抽奖 5",
    ):
        assert fact in shown, (fact, shown)
    assert shown.count("20% 假定") == 1
    english = text_of(await desk.client.get(f"{PAGE}/{desk.slug}", headers={"Accept-Language": "en"}))
    assert "Ways to take part" in english


async def test_lists_are_workbooks_too(desk: Desk) -> None:
    for path, wanted in (("export.xlsx", desk.slug), (f"{desk.slug}/versions.xlsx", "中奖率 20%")):
        answer = await desk.client.get(f"{PAGE}/{path}")
        cells = [cell for row in read_rows(answer.content) for cell in row.cells]
        assert wanted in cells, cells[:40]


async def test_versions_say_what_held_when_and_who_let_it(desk: Desk) -> None:
    page = await desk.client.get(f"{PAGE}/{desk.slug}/versions")
    assert "答题规则" in text_of(page)
    stock = text_of(await desk.client.get(f"{PAGE}/{desk.slug}/versions", params={"subject": "stock"}))
    assert "增减 +10" in stock
    assert "及格分" not in stock


@pytest.mark.parametrize(
    ("act", "form", "kind", "body"),
    [
        ("odds", {"odds": "12.5%"}, "odds", {"phase": 1, "odds": "0.125"}),
        (
            "stock",
            {"voucher_type": "checkup", "delta": "-3"},
            "stock",
            {"phase": 1, "voucher_type": "checkup", "delta": -3},
        ),
        ("budget", {"budget": "12,000,000.50"}, "budget", {"budget_fen": 1_200_000_050}),
        (
            "funding-shares",
            {"share_treasury": "50", "share_institutions": "50%", "share_insurance": ""},
            "funding_shares",
            {"shares": {"treasury": "0.5", "institutions": "0.5", "insurance": "0"}},
        ),
        (
            "limits",
            {
                "vouchers_per_phase": "2",
                "draws_per_day": "9",
                "draws_per_phase": "",
                "vouchers_per_type": "1",
            },
            "limits",
            {
                "vouchers_per_phase": 2,
                "draws_per_day": 9,
                "draws_per_phase": None,
                "vouchers_per_type": 1,
            },
        ),
        (
            "channel",
            {"channel": "event", "chances": "3", "per_day": "", "review": "on"},
            "channel",
            {"channel": "event", "chances": 3, "per_day": None, "review": True},
        ),
        (
            "settlement-hold",
            {"settlement_hold_days": "7"},
            "settlement_hold",
            {"settlement_hold_days": 7},
        ),
    ],
)
async def test_a_form_proposes_a_change(
    desk: Desk, act: str, form: dict[str, str], kind: str, body: dict[str, Any]
) -> None:
    done = await desk.sent(act, **form)
    change = await desk.newest()
    assert (done.status_code, done.headers["location"]) == (
        303,
        f"/console/changes?done=proposed#c-{change['change_id']}",
    )
    assert (change["kind"], change["body"], change["reason"]) == (kind, body, "节前调整")


async def test_the_sum_of_the_shares_is_always_seen(desk: Desk) -> None:
    page = text_of(await desk.client.get(f"{PAGE}/{desk.slug}/propose"))
    assert "合计 100 %" in page
    refused = await desk.sent("funding-shares", share_treasury="40", share_institutions="5")
    assert "合计 70 %" in text_of(refused)
    assert "出资比例之和必须恰好等于 1" in refused.text


async def test_a_further_phase_may_be_released_by_and_by(desk: Desk) -> None:
    form = {"opens_at": "2030-01-01T10:00", "closes_at": "2030-01-05T18:00", "odds": "10"}
    done = await desk.sent("phase", **form, stock_checkup="5", every="day", release_checkup="2")
    assert done.status_code == 303, text_of(done)
    assert (await desk.newest())["body"]["release_plan"] == {"every": "day", "amounts": {"checkup": 2}}


async def test_the_quiz_rule_keeps_what_the_form_has_no_place_for(desk: Desk) -> None:
    rule = {"questions": "10", "pass_score": "80", "attempts_per_day": "2", "time_limit_seconds": "600"}
    assert (
        await desk.sent("quiz-rule", **rule, min_seconds="20", repeat_after_attempts="5")
    ).status_code == 303
    body = (await desk.newest())["body"]
    assert (body["pass_score"], body["min_seconds"], body["attempt_token"]) == (80, 20, False)


async def test_a_further_phase_has_the_rule_of_the_last_one(desk: Desk) -> None:
    times = {"opens_at": "2030-01-01T10:00", "closes_at": "2030-01-05T18:00"}
    done = await desk.sent("phase", **times, odds="10", stock_checkup="5")
    change = await desk.newest()
    assert (done.status_code, change["kind"]) == (303, "phase"), text_of(done)
    body = change["body"]
    assert (body["seq"], body["odds"], body["quiz"]["min_seconds"]) == (3, "0.1", 9)
    assert body["opens_at"].startswith("2030-01-01T10:00:00")


@pytest.mark.parametrize(
    ("act", "form", "code", "kept"),
    [
        ("odds", {"odds": "120"}, "invalid_request", 'value="120"'),
        ("odds", {"odds": "many"}, "invalid_request", 'value="many"'),
        ("odds", {"odds": "10", "reason": " "}, "invalid_request", 'value="10"'),
        ("stock", {"voucher_type": "checkup", "delta": "-500"}, "stock_in_use", 'value="-500"'),
        ("stock", {"voucher_type": "checkup", "delta": "900000000"}, "budget_exceeded", "900000000"),
        ("carry-over", {"to": "2"}, "phase_not_closed", ""),
        ("budget", {"budget": "一千万"}, "invalid_request", 'value="一千万"'),
        ("budget", {"budget": "0.01"}, "budget_in_use", 'value="0.01"'),
        ("funding-shares", {"share_treasury": "77"}, "invalid_request", 'value="77"'),
        ("limits", {"vouchers_per_phase": "0", "draws_per_day": "5"}, "invalid_request", 'value="0"'),
        ("channel", {"channel": "event", "chances": "500"}, "invalid_request", 'value="500"'),
        ("channel", {"channel": "unheard-of", "chances": "1"}, "not_found", ""),
        ("settlement-hold", {"settlement_hold_days": ""}, "nothing_changes", ""),
        ("phase", {"opens_at": "", "closes_at": "", "odds": "10"}, "invalid_request", ""),
    ],
)
async def test_a_refusal_stands_at_its_form_with_what_was_typed(
    desk: Desk, act: str, form: dict[str, str], code: str, kept: str
) -> None:
    refused = await desk.sent(act, **form)
    assert refused.status_code >= 400
    assert f"/docs/errors#{code}" in refused.text
    assert kept in refused.text


async def test_pausing_and_going_on_act_at_once(desk: Desk) -> None:
    paused = await desk.sent("pause")
    assert paused.headers["location"] == f"{PAGE}/{desk.slug}?done=pause"
    assert "已暂停：答题和抽奖停止" in (await desk.client.get(paused.headers["location"])).text
    assert (await desk.sent("resume")).headers["location"].endswith("?done=resume")


async def sent_file(desk: Desk, name: str, content: bytes) -> httpx.Response:
    form = form_of(await desk.client.get(f"{PAGE}/new"))
    return await desk.client.post(f"{PAGE}/new", files={"file": (name, content)}, data=form)


async def test_a_definition_is_proposed_from_json_and_from_yaml(desk: Desk, clock: ManualClock) -> None:
    whole = definition(clock.now(), slug=f"new-{secrets.token_hex(4)}")
    done = await sent_file(desk, "a.json", json.dumps(whole).encode())
    assert done.status_code == 303, text_of(done)
    assert (await desk.newest())["target"] == whole["slug"]
    slug = f"new-{secrets.token_hex(4)}"
    text = yaml.safe_dump(definition(clock.now(), slug=slug), allow_unicode=True).replace("'", "")
    assert re.search(r"opens_at: 2\d{3}-", text), "times stand there without quotes, as people write them"
    done = await sent_file(desk, "b.yaml", f"# 定义\n{text}".encode())
    assert done.status_code == 303, text_of(done)
    assert (await desk.newest())["target"] == slug


async def test_every_fault_of_a_definition_is_listed_with_its_place(desk: Desk, clock: ManualClock) -> None:
    whole = definition(clock.now(), slug="Not A Slug", odds="2")
    whole["phases"][0]["stock"]["unheard_of"] = 1
    refused = await sent_file(desk, "a.json", json.dumps(whole).encode())
    shown = text_of(refused)
    assert refused.status_code == 422
    for place in ("slug", "phases.0.odds", "phases.0.stock"):
        assert place in shown, shown


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"slug: [1, 2", "第 1 行第 12 列"),
        (b"a: &x [1]\nb: *x\n", "别名"),
        (b"- 1\n", "应为一个活动的各项定义"),
        (b"\xff\xfe\xfa", "UTF-8"),
        (b"!!python/object:os.system {}", "definition_unreadable"),
        (b"", "文件为空或过大"),
    ],
)
async def test_a_file_that_is_no_definition_is_refused(desk: Desk, content: bytes, sentence: str) -> None:
    refused = await sent_file(desk, "a.yaml", content)
    assert refused.status_code == 422
    assert sentence in refused.text, text_of(refused)


async def test_auditors_read_and_are_refused_changes(desk: Desk, kit: Kit) -> None:
    auditor = await signed_in_staff(kit, Role.AUDITOR)
    desk.client.cookies.clear()
    signed_in(desk.client, auditor)
    assert "/propose" not in (await desk.client.get(f"{PAGE}/{desk.slug}")).text
    assert (await desk.sent("odds", odds="10")).status_code == 403
    desk.client.cookies.clear()
    signed_in(desk.client, await signed_in_staff(kit, Role.HOSPITAL, hospital_id="none"))
    for path in ("", f"/{desk.slug}", f"/{desk.slug}/versions", f"/{desk.slug}/propose", "/new"):
        assert (await desk.client.get(f"{PAGE}{path}")).status_code == 403
    desk.client.cookies.clear()
    signed_in(desk.client, desk.headers)
    assert (await desk.client.get(f"{PAGE}/unheard-of")).status_code == 404
