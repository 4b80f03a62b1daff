"""What anybody can check: odds, draws, and after the phase its seed and its log."""

import json
from datetime import timedelta

import httpx
import pytest

from deploy.verify_draws import findings
from services.issuance.drawlog import operations
from shared.clock import ManualClock
from shared.kit import Kit
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, give_chances, new_person
from tests.support.desk import Desk

pytestmark = pytest.mark.usefixtures("clock_returns")


async def drawn_campaign(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, draws: int = 6
) -> Published:
    campaign = await open_campaign(kit, clock, odds="0.5", phases=2)
    for number in range(draws):
        hands = Hands(client, await new_person(kit))
        await give_chances(kit, hands.person, campaign)
        assert (await hands.draw(campaign.slug, client_seed=f"c{number}")).status_code == 201
    return campaign


async def test_while_a_phase_is_open_its_commitment_and_odds_are_public_and_its_seed_is_not(
    client: httpx.AsyncClient, desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await drawn_campaign(client, kit, clock)
    clock.advance(minutes=1)
    odds = f"/issuance/v1/campaigns/{campaign.slug}/phases/1/odds"
    await desk.approve(await desk.propose(odds, {"odds": 0.75, "reason": "提高概率"}))
    answer = await client.get(f"/issuance/v1/campaigns/{campaign.slug}/draw-audit")
    first, second = answer.json()["phases"]
    assert len(first["seed_commitment"]) == 64
    assert first["seed_commitment"] != second["seed_commitment"]
    assert [version["odds"] for version in first["odds_versions"]] == ["0.5", "0.75"]
    assert first["odds_versions"][1]["from"] == "2020-10-31T10:01:01+08:00"
    assert (first["draws"], second["draws"]) == (6, 0)
    assert (first["log_roots"], first["seed"], first["log_url"]) == ([], None, None)
    again = await client.get(
        f"/issuance/v1/campaigns/{campaign.slug}/draw-audit",
        headers={"If-None-Match": answer.headers["etag"]},
    )
    assert again.status_code == 304
    refused = await client.get(f"/issuance/v1/campaigns/{campaign.slug}/phases/1/draw-log")
    assert (refused.status_code, refused.json()["code"]) == (404, "draw_log_not_published")


async def test_after_a_phase_anybody_can_recompute_every_draw_from_the_log(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "LOG_PAGE", 2)
    campaign = await drawn_campaign(client, kit, clock, 7)
    audit_url = f"/issuance/v1/campaigns/{campaign.slug}/draw-audit"
    promised = (await client.get(audit_url)).json()["phases"][0]
    clock.set(campaign.opens_at + timedelta(days=10, seconds=9))
    assert (await client.get(audit_url)).json()["phases"][0]["seed"] is None  # a draw may be under way
    clock.advance(seconds=1)
    audit, upcoming = (await client.get(audit_url)).json()["phases"]
    assert (upcoming["seed"], upcoming["log_url"]) == (None, None)
    assert audit["seed_commitment"] == promised["seed_commitment"]

    log = await client.get(audit["log_url"])
    lines = log.text.splitlines()
    assert log.headers["content-type"].startswith("application/x-ndjson")
    assert json.loads(lines[0]) == {
        "slug": campaign.slug, "seq": 1, "seed_commitment": audit["seed_commitment"], "seed": audit["seed"]
    }  # fmt: skip
    assert len(lines) == 8
    assert sorted(json.loads(line)["client_seed"] for line in lines[1:]) == [f"c{n}" for n in range(7)]
    assert {frozenset(json.loads(line)) for line in lines[1:]} == {
        frozenset({"chance_id", "client_seed", "odds", "value", "won"})
    }
    assert list(findings(log.content.splitlines(keepends=True), [{"phases": [audit]}])) == []
    assert (await client.get(audit["log_url"])).text == log.text


async def test_the_log_of_a_phase_without_draws_is_its_head_alone(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock)
    clock.set(campaign.closes_at + timedelta(minutes=1))
    log = await client.get(f"/issuance/v1/campaigns/{campaign.slug}/phases/1/draw-log")
    assert (log.status_code, len(log.text.splitlines()), list(findings(log.content.splitlines()))) == (
        200,
        1,
        [],
    )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("no-such-campaign/draw-audit", 404),
        ("no-such-campaign/phases/1/draw-log", 404),
        ("{slug}/phases/3/draw-log", 404),
        ("{slug}/phases/0/draw-log", 422),
        ("{slug}/phases/99999/draw-log", 422),
        ("{slug}/phases/x/draw-log", 422),
    ],
)
async def test_what_is_not_there_is_not_found(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, path: str, status: int
) -> None:
    campaign = await open_campaign(kit, clock)
    answer = await client.get(f"/issuance/v1/campaigns/{path.format(slug=campaign.slug)}")
    assert answer.status_code == status
