"""The big screen's figures: the same numbers as the services' own calls, for whoever may look."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from services.console.app import create_app as console
from services.issuance.app import create_app as issuance
from services.quota.app import create_app as quota
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.ratelimit import SCREEN_PER_ADDRESS
from shared.settings import Settings
from tests.support.http import serving
from tests.support.money import a_little_of_everything
from tests.support.people import signed_in_staff
from tests.support.quota import Programme, bureau_of, issued

PATH = "/console/v1/screen"
LINKS = "/console/v1/screen-links"


@dataclass(frozen=True, slots=True)
class Screened:
    client: httpx.AsyncClient
    staff: dict[str, str]
    campaign: str
    programme: Programme

    async def view(self) -> dict[str, Any]:
        query = {"campaign": self.campaign, "programme": self.programme.slug}
        answer = await self.client.get(PATH, params=query, headers=self.staff)
        assert answer.status_code == 200, answer.text
        view: dict[str, Any] = answer.json()
        return view

    async def told(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        answer = await self.client.get(path, params=query, headers=self.staff)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
async def screened(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Screened]:
    slug = f"screen-{secrets.token_hex(4)}"
    await a_little_of_everything(kit, slug)
    apps = {"issuance": issuance, "redemption": redemption, "quota": quota, "console": console}
    async with serving(**{name: make(settings, clock=clock) for name, make in apps.items()}) as client:
        bureau = await bureau_of(client, kit)
        programme = await bureau.programme(
            f"screen-{secrets.token_hex(4)}",
            *((("第一医共体", "第二医共体", "")[n % 3], f"医院{n:02}", 100 + n) for n in range(14)),
            total=3000,
        )
        await programme.send(
            *(issued(programme, f"医院{n % 14:02}", n, n, "2020-08-10") for n in range(40)),
            issued(programme, None, 90, 90, "2020-08-11"),
        )
        staff = await signed_in_staff(kit, Role.AUDITOR)
        yield Screened(client, staff, slug, programme)


def added(rows: list[dict[str, Any]], *names: str) -> list[int]:
    return [sum(row[name] for row in rows) for name in names]


async def test_the_numbers_of_vouchers_are_those_of_the_metrics(screened: Screened) -> None:
    shown = (await screened.view())["campaign"]
    made = await screened.told("/issuance/v1/metrics", campaign=screened.campaign)
    used = await screened.told("/redemption/v1/metrics", campaign=screened.campaign)
    total = shown["total"]
    assert total["issued"] > total["redeemed"] > 0
    same = ("attempts", "passed", "chances", "draws", "wins")
    assert {name: total[name] for name in same} == {name: made[name] for name in same}
    assert total["issued"] == made["vouchers_issued"]
    assert (total["redeemed"], total["redeemed_fen"]) == (used["redeemed"], used["applied_fen"])
    assert {line["key"]: line["issued"] for line in shown["types"]} == made["issued_by_type"]
    assert {line["key"]: line["redeemed"] for line in shown["types"] if line["redeemed"]} == {
        key: n for key, n in used["by_voucher_type"].items() if n
    }
    owed = [payer["payable_fen"] + payer["paid_fen"] for payer in shown["payers"]]
    assert owed == list(used["by_funding_source"].values())


async def test_every_breakdown_of_vouchers_adds_up(screened: Screened) -> None:
    shown = (await screened.view())["campaign"]
    total = shown["total"]
    names = list(total)
    assert added([*shown["daily"], shown["earlier"]], *names) == [total[name] for name in names]
    assert added(shown["types"], "issued", "redeemed") == [total["issued"], total["redeemed"]]
    for line in shown["types"]:
        assert line["issued"] == line["redeemed"] + line["outstanding"] + line["ended"]
    for payer in shown["payers"]:
        parts = ("available_fen", "committed_fen", "payable_fen", "paid_fen")
        assert payer["budget_fen"] == sum(payer[part] for part in parts)
    for rows in (shown["counties"], [*shown["institutions"], shown["other_institutions"]]):
        assert added(rows, "redeemed", "redeemed_fen") == [total["redeemed"], total["redeemed_fen"]]


async def test_the_numbers_of_cards_are_those_of_progress_and_ranking(screened: Screened) -> None:
    shown = (await screened.view())["programme"]
    told = await screened.programme.progress()
    same = ("target", "issued_before", "issued", "attributed", "unattributed", "used")
    assert {name: shown[name] for name in same} == {name: told[name] for name in same}
    assert shown["issued"] == 41
    assert shown["rate"] == told["progress_share"]
    parts = ("unit", "hospitals", "quota", "issued", "rate")
    assert [{name: unit[name] for name in parts} for unit in shown["units"]] == [
        {name: unit[name] for name in parts} for unit in told["units"]
    ]
    assert added(shown["units"], "issued", "quota") == [shown["attributed"], shown["allocated"]]
    listed = [*shown["hospitals"], shown["other_hospitals"]]
    assert added(listed, "issued", "quota") == [shown["attributed"], shown["allocated"]]
    assert shown["other_hospitals"]["hospitals"] == 4
    assert added([*shown["daily"], shown["earlier"]], "issued", "used") == [shown["issued"], shown["used"]]


async def test_all_who_look_share_one_reading(screened: Screened, kit: Kit, clock: ManualClock) -> None:
    query = {"campaign": screened.campaign, "programme": screened.programme.slug}
    first = await screened.client.get(PATH, params=query, headers=screened.staff)
    clock.advance(seconds=1)
    other = await signed_in_staff(kit, Role.OPERATOR)
    second = await screened.client.get(PATH, params=query, headers=other)
    assert second.json()["as_of"] == first.json()["as_of"]
    assert int(second.headers["age"]) < 10
    headers = {**other, "If-None-Match": first.headers["etag"]}
    unchanged = await screened.client.get(PATH, params=query, headers=headers)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert unchanged.headers["x-as-of"] == first.json()["as_of"]


async def test_a_link_shows_the_screen_and_nothing_else(
    screened: Screened, kit: Kit, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    operator = await signed_in_staff(kit, Role.OPERATOR)
    made = await screened.client.post(LINKS, json={"label": "大厅"}, headers=operator)
    token = made.json()["url"].partition("#")[2]
    link = {"Authorization": f"Bearer {token}"}
    assert (await screened.client.get(PATH, headers=link)).status_code == 200
    for path in (LINKS, "/console/v1/me", "/issuance/v1/metrics", "/quota/v1/programmes", "/console/metrics"):
        assert (await screened.client.get(path, headers=link)).status_code == 401, path
    assert token not in caplog.text + "".join(capfd.readouterr())


async def test_a_link_that_is_over_shows_nothing(
    screened: Screened, settings: Settings, kit: Kit, clock: ManualClock
) -> None:
    operator = await signed_in_staff(kit, Role.OPERATOR)
    links = []
    for _ in range(2):
        body = {"label": "大厅", "valid_days": 1}
        links.append((await screened.client.post(LINKS, json=body, headers=operator)).json())
    tokens = [link["url"].partition("#")[2] for link in links]
    revoke = f"{LINKS}/{links[0]['link_id']}/revoke"
    assert (await screened.client.post(revoke, json={"reason": "x"}, headers=operator)).status_code == 200
    # Another process: this one may remember a link for a refresh period.
    async with serving(console=console(settings, clock=clock)) as other:

        async def code(token: str) -> tuple[int, str]:
            answer = await other.get(PATH, headers={"Authorization": f"Bearer {token}"})
            return answer.status_code, answer.json().get("code", "")

        assert await code(tokens[0]) == (401, "screen_link_revoked")
        assert await code(tokens[1]) == (200, "")
        # Remembered or not, what has expired is over at once.
        clock.advance(days=1)
        assert await code(tokens[1]) == (401, "screen_link_expired")
        assert await code("scr_nobody-has-this") == (401, "screen_link_unknown")
        assert await code("no-session") == (401, "unauthenticated")
        assert (await other.get(PATH)).json()["code"] == "unauthenticated"


@pytest.mark.parametrize("role", [Role.HOSPITAL, Role.INSTITUTION])
async def test_who_sees_only_own_rows_has_no_big_screen(screened: Screened, kit: Kit, role: Role) -> None:
    headers = await signed_in_staff(kit, role, institution_id="i1", hospital_id="h1")
    answer = await screened.client.get(PATH, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("query", [{"campaign": "none"}, {"programme": "none"}])
async def test_what_is_not_there_is_not_shown(screened: Screened, query: dict[str, str]) -> None:
    answer = await screened.client.get(PATH, params=query, headers=screened.staff)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_screens_that_flood_are_told_to_wait(settings: Settings, clock: ManualClock) -> None:
    app = console(settings.model_copy(update={"rate_limits": "on"}), clock=clock)
    for _ in range(SCREEN_PER_ADDRESS.amount - 1):
        app.state.wiring.limiter.stop_flood(SCREEN_PER_ADDRESS, "127.0.0.1")
    async with serving(console=app) as client:
        assert [(await client.get(PATH)).status_code for _ in range(2)] == [401, 429]
