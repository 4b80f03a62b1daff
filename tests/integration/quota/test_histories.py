"""Random lives of hundreds: the SQL counts what the rule tells one by one, in whatever order events come."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from services.quota.attribution.rules import PersonEvent, tell
from services.quota.cards.rules import Kind
from tests.support.quota import Bureau, Json, Programme, issued

KINDS: tuple[Kind, ...] = ("issued", "issued", "issued", "used", "used", "cancelled", "landed", "applied")
# What happens on the way to a card counts by event and touches no card.
STAGES = frozenset({"landed", "applied"})
HOSPITALS = ("甲", "乙", "丙", None)
START = datetime(2020, 8, 1, 4, tzinfo=UTC)
PEOPLE = 150


def histories(rng: random.Random, programme: Programme) -> list[dict[str, Json]]:
    """Up to seven events of each person, at few different times, so that many fall together."""
    events = []
    for person in range(PEOPLE):
        for step in range(rng.randint(1, 7)):
            at = START + timedelta(hours=12 * rng.randrange(20))
            hospital = rng.choice(HOSPITALS)
            kind = rng.choice(KINDS)
            events.append(issued(programme, hospital, f"{person}-{step}", person, at.isoformat(), kind=kind))
    return events


def batches(rng: random.Random, events: list[dict[str, Json]]) -> Iterator[list[dict[str, Json]]]:
    """All events in any order, some of them several times, in batches of any size."""
    sent = [*events, *rng.sample(events, len(events) // 10)]
    rng.shuffle(sent)
    while sent:
        size = rng.randint(1, 300)
        yield sent[:size]
        sent = sent[size:]


def expected(arrived: list[dict[str, Json]], scenes: dict[str, str]) -> Counter[tuple[str, str, str]]:
    """What the rule makes of the events in their order of arrival: (measure, day, hospital) → n."""
    people: dict[str, dict[str, PersonEvent]] = {}
    figures: Counter[tuple[str, str, str]] = Counter()
    stages: set[str] = set()
    for place, sent in enumerate(arrived):
        if sent["kind"] in STAGES:
            if sent["event_id"] not in stages:
                day = (datetime.fromisoformat(sent["at"]) + timedelta(hours=8)).date().isoformat()
                figures[f"card_{sent['kind']}", day, scenes.get(sent.get("scene", ""), "")] += 1
            stages.add(sent["event_id"])
            continue
        known = people.setdefault(sent["holder_ref"], {})
        at = datetime.fromisoformat(sent["at"])
        event = PersonEvent(sent["event_id"], sent["kind"], at, place, scenes.get(sent.get("scene", "")))
        known.setdefault(sent["event_id"], event)
    for known in people.values():
        for told in tell(known.values()):
            if told.card is None or told.part in {"nothing", "uses_again"}:
                continue
            day = (told.event.at + timedelta(hours=8)).date().isoformat()
            hospital = told.card.opened_by.hospital_id or ""
            if told.part == "uses":
                figures["card_used", day, hospital] += 1
                continue
            figures["card", day, hospital] += 1 if told.part == "opens" else -1
            if told.part == "closes" and told.card.used:
                figures["card_used", day, hospital] -= 1
    return figures


@pytest.mark.parametrize("seed", range(4))
async def test_the_figures_are_what_the_rule_tells_of_every_history(bureau: Bureau, seed: int) -> None:
    rng = random.Random(seed)
    programme = await bureau.programme(f"histories-{seed}", total=1000)
    scenes = {programme.scene(name): name for name in ("甲", "乙", "丙")}
    arrived: list[dict[str, Json]] = []
    for batch in batches(rng, histories(rng, programme)):
        arrived.extend(batch)
        await programme.send(*batch)
        if rng.random() < 0.3:
            await bureau.fold()
    found = {
        (measure, day, hospital): n
        for measure, day, hospital, n in await programme.figures(
            "card", "card_used", "card_landed", "card_applied"
        )
    }
    assert found == {key: n for key, n in expected(arrived, scenes).items() if n}


async def test_the_order_of_arrival_does_not_matter_when_times_differ(bureau: Bureau) -> None:
    rng = random.Random(99)
    seen = []
    for turn in range(3):
        programme = await bureau.programme(f"orders-{turn}", total=1000)
        events = histories(random.Random(7), programme)
        for number, event in enumerate(events):
            at = datetime.fromisoformat(event["at"]) + timedelta(seconds=number)
            event["at"] = at.isoformat()
        for batch in batches(rng, events):
            await programme.send(*batch)
        seen.append(await programme.figures("card", "card_used"))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0]


async def test_every_credit_has_a_place_of_its_own_in_the_persons_order(bureau: Bureau) -> None:
    async with bureau.kit.database.snapshot() as tx:
        gaps = await tx.execute(
            text(
                "SELECT count(*) FROM (SELECT max(place) AS last, count(*) AS n FROM quota.card_credit"
                " GROUP BY bucket, programme_id, holder_hash) AS person WHERE last <> n"
            )
        )
        assert gaps.scalar_one() == 0
