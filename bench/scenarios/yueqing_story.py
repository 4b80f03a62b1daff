"""Yueqing: the programme and its 37 hospitals, the published quotas, a month of cards, ranking and notice."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bench.scenarios.story import Stage, Story
from bench.simulator.clerks import Clerks
from bench.simulator.platform import Platform
from bench.simulator.signing import Signer

_SEED = 20200831
_EVENTS = 6_000
_BATCH = 1_000
# Every 40th card comes without a hospital's code and must stay visible as unattributed.
_WITHOUT_CODE = 40
_MONTH = "2020-08"
_LAST = 3
_FIRST_DAY = datetime.fromisoformat("2020-08-01T08:00:00+08:00")


@dataclass(slots=True)
class YueqingStory:
    platform: Platform
    clerks: Clerks
    programme: Mapping[str, Any]
    hospitals_csv: bytes
    published: Sequence[Mapping[str, str]]
    stage: Stage
    story: Story

    @property
    def _path(self) -> str:
        return f"/quota/v1/programmes/{self.programme['slug']}"

    async def load(self) -> None:
        """Programme, hospitals, and the allocation: first as the notice did it, then exact."""
        advance = self.stage("乐清发卡任务 Yueqing programme", 4)
        body = {key: value for key, value in self.programme.items() if key not in {"checks", "adjustments"}}
        await self.platform.post("/quota/v1/programmes", body, headers=self.clerks.first)
        advance(1)
        report = await self.platform.upload(
            f"{self._path}/hospitals/import?dry_run=false",
            name="hospitals.csv",
            content=self.hospitals_csv,
            headers=self.clerks.first,
        )
        self.story.check("hospitals imported", len(self.published), report.body["accepted"])
        advance(1)
        await self._allocate("round_each", "as the notice 2020-88 did")
        current = await self.platform.get(f"{self._path}/allocations/current", headers=self.clerks.first)
        printed = {row["hospital"]: int(row["published_quota"]) for row in self.published}
        quotas = {item["hospital"]: item["quota"] for item in current["items"]}
        self.story.check(
            "published quotas reproduced (of 37)",
            len(printed),
            sum(quotas.get(hospital) == quota for hospital, quota in printed.items()),
        )
        self.story.check("sum of the notice's quotas", 165_003, current["sum"])
        advance(1)
        await self._allocate("largest_remainder", "adds up exactly")
        current = await self.platform.get(f"{self._path}/allocations/current", headers=self.clerks.first)
        self.story.check("sum by largest remainder", 165_000, current["sum"])
        self.story.check("items add up to the sum", 165_000, sum(item["quota"] for item in current["items"]))
        advance(1)

    async def _allocate(self, method: str, reason: str) -> None:
        body = {
            "total": self.programme["allocation_total"],
            "method": method,
            "adjustments": self.programme["adjustments"],
            "reason": reason,
        }
        await self.clerks.approved("quota", f"programmes/{self.programme['slug']}/allocations", body)

    async def play(self) -> None:
        """A month of cards from the card platform, by signed batches; then progress and ranking."""
        listed = await self.platform.get(f"{self._path}/hospitals?limit=200", headers=self.clerks.first)
        key = await self.platform.post(
            f"{self._path}/platform-keys", {"label": "demo card platform"}, headers=self.clerks.first
        )
        now = await self.clerks.clock()
        signer = Signer(self.platform, key.body["key_id"], key.body["key"], lambda: now)
        events = _events(listed["items"])
        advance = self.stage("乐清发卡 card events", len(events))
        for start in range(0, len(events), _BATCH):
            batch = events[start : start + _BATCH]
            await signer.post(f"{self._path}/card-events", {"events": batch})
            advance(len(batch))
        await self._check(listed["items"], events)
        await self._publish()

    async def _check(
        self, hospitals: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]
    ) -> None:
        sent = Counter(event.get("scene") for event in events)
        progress = await self.platform.get(f"{self._path}/progress", headers=self.clerks.first)
        self.story.check("cards issued", len(events), progress["issued"])
        self.story.check("cards unattributed", sent[None], progress["unattributed"])
        counted = {item["hospital_id"]: item["issued"] for item in progress["items"]}
        expected = {item["hospital_id"]: sent[item["scene"]] for item in hospitals}
        self.story.check("cards per hospital", expected, counted)
        ranking = await self.platform.get(f"{self._path}/rankings?month={_MONTH}", headers=self.clerks.first)
        self.story.check("hospitals ranked", len(hospitals), len(ranking["items"]))
        self.story.check(
            "cards ranked in the month",
            sum(expected.values()),
            sum(i["month_issued"] for i in ranking["items"]),
        )

    async def _publish(self) -> None:
        """Freezes the month and writes its notice, as workbook too, and the reminders to who is flagged."""
        slug = self.programme["slug"]
        await self.clerks.approved("quota", f"programmes/{slug}/rankings/freeze", {"month": _MONTH})
        frozen = await self.platform.get(f"{self._path}/rankings?month={_MONTH}", headers=self.clerks.first)
        self.story.check("month frozen", (True, 1), (frozen["frozen"], frozen["edition"]))
        flagged = [item["hospital"] for item in frozen["items"] if item["flagged"]]
        self.story.check("hospitals flagged (the last three that missed)", True, len(flagged) >= _LAST)
        wanted = {"bulletin.docx": "notice", "bulletin.xlsx": "notice", "reminders.zip": "reminders"}
        for document, name in wanted.items():
            self.story.documents[
                f"{name}-{_MONTH}.{document.rpartition('.')[2]}"
            ] = await self.platform.download(
                f"{self._path}/{document}?month={_MONTH}", headers=self.clerks.first
            )


def _events(hospitals: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Made-up cards, spread over the hospitals by their visits, in the first month of the programme."""
    rng = Random(_SEED)
    scenes = rng.choices(
        [item["scene"] for item in hospitals], weights=[item["visits"] for item in hospitals], k=_EVENTS
    )
    events = []
    for number, scene in enumerate(scenes):
        at = _FIRST_DAY + timedelta(days=rng.randrange(31), seconds=rng.randrange(8 * 3600))
        event = {
            "event_id": f"demo-{number}",
            "holder_ref": f"demo-holder-{number}",
            "kind": "issued",
            "at": at.isoformat(),
        }
        events.append(event if number % _WITHOUT_CODE == 0 else {**event, "scene": scene})
    return events
