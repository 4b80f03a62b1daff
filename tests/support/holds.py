"""Campaigns that hold suspicious wins, and people who take part from somewhere."""

from dataclasses import replace
from typing import Any

import httpx

from shared.clock import ManualClock
from shared.http.client import DEVICE_HEADER
from shared.kit import Kit
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, give_chances, new_person
from tests.support.desk import Desk


async def watching(
    kit: Kit, clock: ManualClock, *, parts: dict[str, Any] | None = None, **when: int
) -> Published:
    """An open campaign where every draw wins, and wins like `when` are held."""
    return await open_campaign(kit, clock, odds="1", risk={"hold_when": when}, **(parts or {}))


async def somebody(
    client: httpx.AsyncClient, kit: Kit, campaign: Published, *, device: str | None = None, chances: int = 1
) -> Hands:
    """A new person with chances, whose app sends this device."""
    person = await new_person(kit)
    if chances:
        await give_chances(kit, person, campaign, chances)
    if device is not None:
        person = replace(person, headers=person.headers | {DEVICE_HEADER: device})
    return Hands(client, person)


async def held(
    client: httpx.AsyncClient, kit: Kit, campaign: Published, device: str = "farm-0001"
) -> tuple[Hands, str]:
    """A person and an award that is on hold, in a campaign that lets one person have a device."""
    first = await somebody(client, kit, campaign, device=device)
    assert (await first.draw(campaign.slug)).status_code == 201
    second = await somebody(client, kit, campaign, device=device)
    return second, await second.win(campaign.slug)


async def decide(desk: Desk, award: str, decision: str, **parts: object) -> httpx.Response:
    body = {"decision": decision, "note": "电话核实"} | parts
    return await desk.client.post(f"/issuance/v1/holds/{award}/decide", json=body, headers=desk.one)


async def cases(desk: Desk, campaign: Published, status: str = "open") -> list[dict[str, Any]]:
    url = f"/issuance/v1/holds?status={status}&campaign={campaign.slug}"
    answer = await desk.client.get(url, headers=desk.other)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items
