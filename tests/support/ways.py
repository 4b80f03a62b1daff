"""Taking part by the ways that are no quiz, over HTTP: what citizens do, and what clerks do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import text

from shared.clock import ManualClock, rfc3339
from shared.kit import Kit
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Person, request_no
from tests.support.desk import Desk

CHANNELS: list[dict[str, Any]] = [
    {"key": "quiz", "name": "网上答题", "chances": 1},
    {"key": "share", "name": "转发", "chances": 1, "per_day": 1, "review": True},
    {"key": "lead", "name": "提供线索", "chances": 2, "per_day": 3, "review": True},
    {"key": "event", "name": "线下活动", "chances": 1, "per_day": 1},
    {"key": "fitness", "name": "全民健身", "chances": 3, "per_day": 2},
]

SHARE = {"url": "https://weibo.com/1234/abcd", "text": "爱国卫生运动从我做起，参与答题赢取健康消费券！"}
LEAD = {
    "category": "清垃圾",
    "place": "蒙自市红河路 12 号菜市场门口",
    "description": "菜市场门口长期堆放垃圾，无人清理，夏天气味很大，影响周边居民生活。",
}


def channels(**changed: dict[str, Any]) -> list[dict[str, Any]]:
    """All five ways; `share={"review": False}` changes one of them."""
    return [channel | changed.get(channel["key"], {}) for channel in CHANNELS]


async def open_ways(
    kit: Kit,
    clock: ManualClock,
    *,
    parts: Mapping[str, Any] | None = None,
    **changed: dict[str, Any],
) -> Published:
    """An open campaign with all five ways."""
    return await open_campaign(kit, clock, channels=channels(**changed), **(parts or {}))


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def faults(answer: httpx.Response) -> set[tuple[str, str]]:
    refused(answer, 422, "invalid_request")
    return {(fault["loc"], fault["code"]) for fault in answer.json()["errors"]}


@dataclass(frozen=True, slots=True)
class Partaker:
    client: httpx.AsyncClient
    person: Person

    async def take_part(
        self, slug: str, channel: str, evidence: object, number: str | None = None
    ) -> httpx.Response:
        body = {"request_no": number or request_no(), "channel": channel, "evidence": evidence}
        return await self.client.post(
            f"/issuance/v1/campaigns/{slug}/activities", json=body, headers=self.person.headers
        )

    async def check_in(
        self, slug: str, code: str, channel: str = "event", number: str | None = None
    ) -> httpx.Response:
        return await self.take_part(slug, channel, {"check_in_code": code}, number)

    async def send(self, slug: str, channel: str, evidence: object) -> str:
        """The id of an activity that was taken in."""
        answer = await self.take_part(slug, channel, evidence)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["activity_id"])

    async def upload(self, content: bytes, name: str = "IMG_0001.HEIC") -> httpx.Response:
        files = {"file": (name, content, "application/octet-stream")}
        return await self.client.post("/issuance/v1/photos", files=files, headers=self.person.headers)

    async def photo(self, content: bytes) -> str:
        answer = await self.upload(content)
        assert answer.status_code in {200, 201}, answer.text
        return str(answer.json()["photo_id"])

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(f"/issuance/v1{path}", headers=self.person.headers)


async def made_event(desk: Desk, clock: ManualClock, slug: str, **parts: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of an event
    """An event that is open for two hours from now, unless `parts` says otherwise."""
    body = {
        "name": "爱国卫生志愿服务",
        "channel": "event",
        "place": "蒙自市人民公园",
        "starts_at": rfc3339(clock.now()),
        "ends_at": rfc3339(clock.now() + timedelta(hours=2)),
    } | parts
    answer = await desk.client.post(f"/issuance/v1/campaigns/{slug}/events", json=body, headers=desk.one)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def claimed(
    desk: Desk, *, by: Mapping[str, str] | None = None, **wanted: object
) -> list[dict[str, Any]]:
    """What a reviewer takes into hand."""
    answer = await desk.client.post(
        "/issuance/v1/activities/claim", json=wanted, headers=dict(by or desk.one)
    )
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def reviewed(desk: Desk, activity_id: str, decision: str = "accept", **parts: Any) -> httpx.Response:  # noqa: ANN401 - any part of a review
    body = {"decision": decision, "note": "已核实"} | parts
    return await desk.client.post(
        f"/issuance/v1/activities/{activity_id}/review", json=body, headers=desk.one
    )


async def queue(desk: Desk, **filters: str) -> list[dict[str, Any]]:
    """All of a queue of activities, page by page."""
    items: list[dict[str, Any]] = []
    params = {"limit": "2", **filters}
    while True:
        answer = await desk.client.get("/issuance/v1/activities", params=params, headers=desk.other)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        following = answer.json()["next_cursor"]
        if following is None:
            return items
        params["cursor"] = following


async def figures(desk: Desk, slug: str) -> dict[str, dict[str, int]]:
    """What the campaign counts, by channel."""
    url = f"/issuance/v1/campaigns/{slug}/activities/figures"
    answer = await desk.client.get(url, headers=desk.other)
    assert answer.status_code == 200, answer.text
    return {line.pop("channel"): line for line in answer.json()["channels"]}


async def rows(kit: Kit, sql: str, **values: object) -> list[Any]:
    async with kit.database.snapshot() as tx:
        return list(await tx.execute(text(sql), values))


async def count(kit: Kit, table: str, campaign: Published) -> int:
    [row] = await rows(kit, f"SELECT count(*) FROM issuance.{table} WHERE campaign_id = :id", id=campaign.id)
    return int(row[0])
