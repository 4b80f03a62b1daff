"""Yueqing: the programme and its 37 hospitals, the published quotas, months of cards, ranking and notice."""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bench.scenarios.story import Stage, Story
from bench.scenarios.yueqing_cards import (
    AUGUST,
    LATER,
    NOVEMBER,
    THIS_MORNING,
    Event,
    cancelled,
    followed,
    issued,
    stuffed,
)
from bench.simulator.clerks import Clerks, sign_in
from bench.simulator.crowd import at_once
from bench.simulator.platform import Platform
from bench.simulator.signing import Signer
from shared.clock import CHINA

_BATCH = 1_000
_BATCHES_AT_ONCE = 2
_LAST = 3
_SUB_CODES = (
    ("department", "体检中心（演示）"),
    ("channel", "社区义诊（演示）"),
    ("staff", "导诊台（演示）"),
)
_SCANS = 24


@dataclass(slots=True)
class YueqingStory:
    platform: Platform
    clerks: Clerks
    programme: Mapping[str, Any]
    hospitals_csv: bytes
    published: Sequence[Mapping[str, str]]
    stage: Stage
    story: Story
    hospitals: list[dict[str, Any]] = field(default_factory=list)
    # hospital → its codes, its own first
    scenes: dict[str, list[str]] = field(default_factory=dict)
    _signer: Signer | None = None
    # What was counted, by the story's own books.
    _cards: Counter[str | None] = field(default_factory=Counter)
    # holder → the code that their card came by
    _scene_of: dict[str, str | None] = field(default_factory=dict)

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
        await self._allocate("round_each", "按 2020-88 号通知的口径，逐家四舍五入")
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
        await self._allocate("largest_remainder", "改用最大余额法，合计与总数一致")
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
        """Months of cards from the card platform, by signed batches; then progress, ranking and notices."""
        path = f"{self._path}/hospitals?limit=200"
        self.hospitals = (await self.platform.get(path, headers=self.clerks.first))["items"]
        self.scenes = {one["hospital_id"]: [one["scene"]] for one in self.hospitals}
        key = await self.platform.post(
            f"{self._path}/platform-keys", {"label": "demo card platform"}, headers=self.clerks.first
        )
        now = await self.clerks.clock()
        self._signer = Signer(self.platform, key.body["key_id"], key.body["key"], self.clerks.time.now)
        desk = stuffed(self.hospitals[-1]["scene"])
        first_month = [*issued(AUGUST, self.hospitals, self.scenes), *desk]
        await self._send("乐清发卡 card events", first_month)
        await self._check_august(first_month)
        await self._publish()
        await self._sub_codes()
        later = [issued(month, self.hospitals, self.scenes) for month in LATER]
        since = followed([*first_month, *later[0]], now)
        await self._send("乐清九、十月发卡 September, October", [*later[0], *later[1]])
        await self._send("乐清用卡与注销 used and cancelled", since, gone=cancelled(since))
        await self.clerks.approved(
            "quota", f"programmes/{self.programme['slug']}/rankings/freeze", {"month": LATER[0].name}
        )
        await self._appeal(later[1])

    async def play_november(self) -> None:
        """The month goes on; October waits for a second person to freeze it, one card to be given away."""
        events = issued(NOVEMBER, self.hospitals, self.scenes)
        now = await self.clerks.clock()
        if now.astimezone(CHINA).date() >= THIS_MORNING.first:
            events += issued(THIS_MORNING, self.hospitals, self.scenes)
        # A shorter walk ends earlier: what lies ahead of its clock has not happened.
        events = [event for event in events if datetime.fromisoformat(event["at"]) <= now]
        await self._send("乐清十一月发卡 November", events)
        slug = self.programme["slug"]
        await self.clerks.proposed("quota", f"programmes/{slug}/rankings/freeze", {"month": LATER[1].name})
        lost = next(event for event in events if "scene" not in event)
        await self.clerks.proposed(
            "quota",
            f"programmes/{slug}/card-events/{lost['event_id']}/assign",
            {"hospital_id": self.hospitals[0]["hospital_id"], "reason": "（演示）医院已提供办卡登记"},
        )
        await self._scan()
        await self._check_progress()

    async def _send(self, title: str, events: Sequence[Event], *, gone: set[str] | None = None) -> None:
        assert self._signer is not None  # noqa: S101 - play() comes first
        signer, advance = self._signer, self.stage(title, len(events))

        async def send(start: int) -> None:
            batch = events[start : start + _BATCH]
            await signer.post(f"{self._path}/card-events", {"events": batch})
            advance(len(batch))

        await at_once(range(0, len(events), _BATCH), send, concurrent=_BATCHES_AT_ONCE)
        made = {event["holder_ref"]: event.get("scene") for event in events if event["kind"] == "issued"}
        self._scene_of.update(made)
        self._cards.update(made.values())
        self._cards.subtract(self._scene_of[holder] for holder in gone or ())

    async def _check_august(self, events: Sequence[Event]) -> None:
        ranking = await self.platform.get(
            f"{self._path}/rankings?month={AUGUST.name}", headers=self.clerks.first
        )
        self.story.check("hospitals ranked", len(self.hospitals), len(ranking["items"]))
        self.story.check(
            "cards ranked in the month",
            sum("scene" in event for event in events),
            sum(item["month_issued"] for item in ranking["items"]),
        )

    async def _check_progress(self) -> None:
        progress = await self.platform.get(f"{self._path}/progress", headers=self.clerks.first)
        self.story.check("cards issued", self._cards.total(), progress["issued"])
        self.story.check("cards unattributed", self._cards[None], progress["unattributed"])
        counted = {item["hospital_id"]: item["issued"] for item in progress["items"]}
        expected = {
            hospital: sum(self._cards[scene] for scene in scenes) for hospital, scenes in self.scenes.items()
        }
        self.story.check("cards per hospital", expected, counted)

    async def _sub_codes(self) -> None:
        """The first hospital tells its departments, its street work and its desk apart."""
        hospital = self.hospitals[0]["hospital_id"]
        for kind, label in _SUB_CODES:
            made = await self.platform.post(
                f"/quota/v1/hospitals/{hospital}/codes",
                {"kind": kind, "label": label},
                headers=self.clerks.first,
            )
            self.scenes[hospital].append(made.body["scene"])

    async def _appeal(self, events: Sequence[Event]) -> None:
        """A hospital asks why one of its cards counts where it does; nobody has answered yet."""
        hospital = self.hospitals[0]["hospital_id"]
        own = next(event for event in events if event.get("scene") in self.scenes[hospital])
        username, password = f"hos-{secrets.token_hex(4)}", f"Zx9-{secrets.token_urlsafe(16)}"
        person = {"username": username, "password": password, "roles": ["hospital"], "hospital_id": hospital}
        await self.platform.post("/console/v1/staff", person, headers=self.clerks.first)
        await self.platform.post(
            f"{self._path}/events/{own['event_id']}/appeals",
            {"reason": "（演示）该卡由体检中心办理，请核对归属的二维码"},
            headers=await sign_in(self.platform, username, password),
        )

    async def _scan(self) -> None:
        """People scan the posters; the page behind them counts it and leads on."""
        scenes = [hospital["scene"] for hospital in self.hospitals]

        async def scan(number: int) -> None:
            await self.platform.get(f"/quota/v1/s/{scenes[number % len(scenes)]}")

        await at_once(range(_SCANS), scan, concurrent=_BATCHES_AT_ONCE)

    async def _publish(self) -> None:
        """Freezes the month and writes its notice, as workbook too, and the reminders to who is flagged."""
        slug = self.programme["slug"]
        await self.clerks.approved("quota", f"programmes/{slug}/rankings/freeze", {"month": AUGUST.name})
        frozen = await self.platform.get(
            f"{self._path}/rankings?month={AUGUST.name}", headers=self.clerks.first
        )
        self.story.check("month frozen", (True, 1), (frozen["frozen"], frozen["edition"]))
        flagged = [item["hospital"] for item in frozen["items"] if item["flagged"]]
        self.story.check("hospitals flagged (the last three that missed)", True, len(flagged) >= _LAST)
        wanted = {"bulletin.docx": "notice", "bulletin.xlsx": "notice", "reminders.zip": "reminders"}
        for document, name in wanted.items():
            self.story.documents[
                f"{name}-{AUGUST.name}.{document.rpartition('.')[2]}"
            ] = await self.platform.download(
                f"{self._path}/{document}?month={AUGUST.name}", headers=self.clerks.first
            )
