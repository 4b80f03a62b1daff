"""Any sequence of openings, closures, mergers, moves and withdrawals: no card is lost or counted twice."""

import random
import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import pytest

from shared.clock import CHINA, ManualClock
from shared.integrity.operations import recompute
from shared.rankings import month_of
from tests.support.quota import Bureau, Json, Programme, event

HOSPITALS = [
    ("东", "甲", 40),
    ("东", "乙", 30),
    ("西", "丙", 20),
    ("西", "丁", 15),
    ("", "戊", 10),
    ("", "己", 5),
]
FIRST, LAST = date(2020, 7, 1), date(2020, 12, 20)
STEPS = 30


@dataclass
class Model:
    """What the bureau decided and the platform sent, told once more in plain Python."""

    alliances: dict[str, str]
    life: dict[str, dict[str, Json]] = field(default_factory=dict)
    cards: list[tuple[date, str]] = field(default_factory=list)

    def line(self, hospital: str, day: date) -> str:
        for told in self.life.values():
            if told["hospital"] == hospital and told["kind"] == "merger" and told["on"] <= day:
                return self.line(told["successor"], day)
        return hospital

    def alliance(self, hospital: str, day: date) -> str:
        moves = [
            (told["on"], place, told["alliance"])
            for place, told in enumerate(self.life.values())
            if told["hospital"] == hospital and told["kind"] == "move" and told["on"] <= day
        ]
        return str(max(moves)[2]) if moves else self.alliances[hospital]

    def heir(self, hospital: str, day: date) -> str:
        heir, at = hospital, hospital
        while True:
            ends = [
                t for t in self.life.values() if t["hospital"] == at and t["successor"] and t["on"] <= day
            ]
            if not ends:
                return heir
            at = ends[0]["successor"]
            heir = at if ends[0]["kind"] == "closure" else heir

    def ranking(self, month: tuple[date, date], today: date) -> dict[str, tuple[str, int, int]]:
        """By hospital: its alliance, cards of the month, all cards."""
        as_of = min(month[1], today)
        issued = Counter(self.line(hospital, as_of) for day, hospital in self.cards if day <= month[1])
        of_month = Counter(
            self.line(hospital, as_of) for day, hospital in self.cards if month[0] <= day <= month[1]
        )
        lines = {self.line(hospital, as_of) for hospital in self.alliances}
        return {line: (self.alliance(line, as_of), of_month[line], issued[line]) for line in lines}


def made(ranking: Json) -> dict[str, tuple[str, int, int]]:
    return {
        item["hospital"]: (item["alliance"], item["month_issued"], item["issued"])
        for item in ranking["items"]
    }


def months(through: date) -> list[tuple[date, date]]:
    found, first = [], FIRST
    while first <= through:
        found.append(month_of(first))
        first = month_of(first)[1] + timedelta(days=1)
    return found


@dataclass
class Play:
    rng: random.Random
    programme: Programme
    clock: ManualClock
    model: Model
    today: date = date(2020, 7, 20)
    frozen: date = date(2020, 6, 30)
    published: dict[str, Json] = field(default_factory=dict)

    def at(self, day: date) -> None:
        self.today = day
        self.clock.set(datetime.combine(day, time(12), tzinfo=CHINA))

    def any_day(self, first: date, last: date) -> date:
        return first + timedelta(days=self.rng.randint(0, max(0, (last - first).days)))

    async def step(self) -> None:
        self.at(min(LAST, self.today + timedelta(days=self.rng.randint(0, 6))))
        await self.rng.choice(
            [self.cards, self.cards, self.change, self.change, self.withdraw, self.freeze]
        )()

    async def cards(self) -> None:
        events = []
        for _ in range(self.rng.randint(1, 12)):
            hospital = self.rng.choice(list(self.model.alliances))
            day = self.any_day(self.frozen + timedelta(days=1), self.today)
            number = secrets.token_hex(8)
            events.append(event(number, day.isoformat(), scene=self.programme.scene(hospital)))
            self.model.cards.append((day, self.model.heir(hospital, day)))
        assert set(await self.programme.send(*events)) == {"counted"}

    async def change(self) -> None:
        kind = self.rng.choice(["opening", "closure", "closure", "merger", "merger", "move", "move"])
        hospital, successor = self.rng.sample(list(self.model.alliances), 2)
        on = self.any_day(self.frozen - timedelta(days=3), self.today + timedelta(days=25))
        alliance = self.rng.choice(["东", "西", "北", ""])
        body: dict[str, Json] = {"on": on.isoformat(), "reason": "批复"}
        heir = successor if kind == "merger" or (kind == "closure" and self.rng.random() < 0.6) else None
        if kind == "merger":
            body["into_id"] = self.programme.id(successor)
        elif kind == "closure":
            body["heir_id"] = heir and self.programme.id(successor)
        elif kind == "move":
            body["alliance"] = alliance
        if await self.approved(f"hospitals/{self.programme.id(hospital)}/{kind}", body):
            told = {"kind": kind, "hospital": hospital, "on": on, "successor": heir, "alliance": alliance}
            history = await self.programme.bureau.get(f"hospitals/{self.programme.id(hospital)}/history")
            newest = max(history["events"], key=lambda entry: entry["event_id"])
            self.model.life[newest["event_id"]] = told

    async def withdraw(self) -> None:
        if self.model.life:
            event_id, told = self.rng.choice(list(self.model.life.items()))
            path = f"hospitals/{self.programme.id(told['hospital'])}/history/{event_id}/withdraw"
            if await self.approved(path, {"reason": "误批"}):
                del self.model.life[event_id]

    async def freeze(self) -> None:
        first, last = month_of(self.frozen + timedelta(days=1))
        if last < self.today and self.rng.random() < 0.5:
            month = f"{first:%Y-%m}"
            await self.programme.bureau.approved(f"{self.programme.path}/rankings/freeze", {"month": month})
            self.frozen = last
            self.published[month] = await self.programme.ranking(month)

    async def approved(self, path: str, body: object) -> bool:
        """Whether the platform let it happen; what it refuses changes nothing."""
        bureau = self.programme.bureau
        answer = await bureau.client.post(f"/quota/v1/{path}", json=body, headers=bureau.operator)
        if answer.status_code == 409:
            return False
        change = answer.json()["change_id"]
        await bureau.post(f"changes/{change}/approve", {}, status=200, headers=bureau.second)
        return True


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_month_adds_up_by_hospital_and_by_alliance(
    bureau: Bureau, clock: ManualClock, seed: int
) -> None:
    rng = random.Random(seed)
    clock.set(datetime(2020, 7, 20, 12, tzinfo=CHINA))
    programme = await bureau.programme(
        f"sums-{secrets.token_hex(4)}",
        *HOSPITALS,
        total=1000,
        issued_before={"as_of": "2020-06-30", "cards": 100},
    )
    play = Play(rng, programme, clock, Model({name: alliance for alliance, name, _ in HOSPITALS}))
    for _ in range(STEPS):
        await play.step()
    assert play.model.cards
    for first, last in months(play.today):
        month = f"{first:%Y-%m}"
        ranking = await programme.ranking(month)
        if month in play.published:
            assert ranking == play.published[month]
        assert made(ranking) == play.model.ranking((first, last), play.today)
        assert sum(item["issued"] for item in ranking["items"]) == sum(
            day <= last for day, _ in play.model.cards
        )
        assert sum(item["quota"] for item in ranking["items"]) == 1000
    progress = await programme.progress()
    for figure in ("issued", "month_issued", "quota"):
        by_hospital = sum(item[figure] or 0 for item in progress["items"])
        assert by_hospital == sum(unit[figure] for unit in progress["units"])
    assert progress["issued"] == len(play.model.cards) == sum(unit["issued"] for unit in progress["units"])
    report = await recompute(bureau.kit)
    assert [check for check in report.checks if check.name != "audit_log_is_whole" and not check.ok] == []
