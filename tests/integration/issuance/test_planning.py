"""Calibration, forecast, draw monitor and funnel over HTTP, on answers and draws that were planted."""

import asyncio
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.clock import ManualClock, local_day, machine_seconds
from shared.computing import WAITING_MAX, Computing
from shared.errors import Busy
from shared.identity.staff import Role
from shared.kit import Kit
from tests.support.answers import People, answer_quiz, record_draws
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, fill_bank, give_chances, new_person
from tests.support.desk import Desk
from tests.support.launched import eventually
from tests.support.people import signed_in_staff
from tests.support.ways import faults, refused

# Question 0 is hard, 1 easy; the others are such as most people know.
EASE = (-3.0, 5.0, *(0.3 + 0.05 * place for place in range(18)))
STOCK = {"checkup": 40, "general_50": 200}


def url(campaign: Published, what: str) -> str:
    return f"/issuance/v1/campaigns/{campaign.slug}/{what}"


@pytest.fixture(scope="module")
async def answered(kit: Kit, clock: ManualClock) -> tuple[Published, list[int]]:
    """Three falling days of phase 1; it is the fourth day now. Some draws, none claimed."""
    campaign = await open_campaign(kit, clock, stock=STOCK, phases=2, quiz={"pass_score": 80})
    bank = await fill_bank(kit, campaign, len(EASE), multiple_every=100)
    clock.advance(days=3)
    for days_ago, count in ((3, 900), (2, 700), (1, 550)):
        await answer_quiz(kit, campaign, bank, People(EASE), count, days_ago=days_ago)
    return campaign, bank


async def read(client: httpx.AsyncClient, desk: Desk, path: str, **query: Any) -> Any:  # noqa: ANN401 - JSON
    answer = await client.get(path, params=query, headers=desk.one)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ask(client: httpx.AsyncClient, desk: Desk, campaign: Published, **body: object) -> httpx.Response:
    return await client.post(url(campaign, "forecast"), json={"phase": 1, "days": 5} | body, headers=desk.one)


async def foresee(client: httpx.AsyncClient, desk: Desk, campaign: Published, **body: object) -> Any:  # noqa: ANN401 - JSON
    answer = await ask(client, desk, campaign, **body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_statistics_find_the_planted_questions(
    client: httpx.AsyncClient, desk: Desk, answered: tuple[Published, list[int]]
) -> None:
    campaign, bank = answered
    found = await read(client, desk, url(campaign, "questions/statistics"))
    assert (found["attempts"], found["attempts_answered"], found["next_cursor"]) == (2150, 2150, None)
    assert [item["question_id"] for item in found["items"]] == [str(number) for number in bank]
    assert [item["verdict"] for item in found["items"]] == ["too_hard", "too_easy"] + ["fine"] * 18
    assert sum(item["attempts"] for item in found["items"]) == 2150 * 5
    item = found["items"][5]
    shares = {option["key"]: float(option["chosen"]) for option in item["options"]}
    assert list(shares) == ["A", "B", "C", "D"]
    assert shares["A"] == float(item["facility"])
    assert float(item["facility_low"]) < float(item["facility"]) < float(item["facility_high"])
    assert [option["right"] for option in item["options"]] == [True, False, False, False]
    # Nobody ever chose C or D.
    assert [option["finding"] for option in item["options"]] == [None, None, "unused", "unused"]
    assert float(item["discrimination"]) > 0.2
    assert float(item["point_biserial"]) > 0


async def test_statistics_come_in_pages_and_by_verdict(
    client: httpx.AsyncClient, desk: Desk, answered: tuple[Published, list[int]]
) -> None:
    campaign, bank = answered
    path, seen, cursor = url(campaign, "questions/statistics"), [], None
    while True:
        query = {"limit": 8} | ({"cursor": cursor} if cursor else {})
        page = await read(client, desk, path, **query)
        seen += [item["question_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [str(number) for number in bank]
    hard = await read(client, desk, path, verdict="too_hard")
    assert [item["question_id"] for item in hard["items"]] == [str(bank[0])]
    for query in ({"cursor": "nonsense"}, {"cursor": "WyJ4Il0"}, {"limit": 201}, {"verdict": "dull"}):
        refused(await client.get(path, params=query, headers=desk.one), 422, "invalid_request")


async def test_statistics_follow_the_next_answer(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_campaign(kit, clock)
    await fill_bank(kit, campaign, 5)
    path = url(campaign, "questions/statistics")
    before = await read(client, desk, path)
    assert {item["verdict"] for item in before["items"]} == {"not_enough_data"}
    assert before["items"][0]["facility"] is None
    await Hands(client, await new_person(kit)).pass_quiz(campaign.slug)
    after = await read(client, desk, path)
    assert [(item["attempts"], item["facility"]) for item in after["items"]] == [(1, "1")] * 5
    # The fourth question has two right options; options are told by their own letters, not as shown.
    chosen = [[o["key"] for o in item["options"] if o["chosen"] == "1"] for item in after["items"]]
    assert chosen == [["A"], ["A"], ["A"], ["A", "C"], ["A"]]


async def test_retiring_the_hard_question_raises_the_pass_rate(
    client: httpx.AsyncClient, desk: Desk, answered: tuple[Published, list[int]]
) -> None:
    campaign, bank = answered
    path = url(campaign, "questions/retirement-effect")
    hard = await client.post(path, json={"drop_questions": [str(bank[0])]}, headers=desk.one)
    assert hard.status_code == 200, hard.text
    found = hard.json()
    assert found["attempts"] == 2150
    assert 2150 / 5 < found["touched"] < 2150 / 3
    assert found["questions_left"] == 19
    assert float(found["change"]["p05"]) > 0
    assert float(found["after"]["estimate"]) - float(found["before"]["estimate"]) == pytest.approx(
        float(found["change"]["estimate"]), abs=2e-6
    )
    easy = await client.post(path, json={"drop_questions": [bank[1]]}, headers=desk.one)
    assert float(easy.json()["change"]["p95"]) < 0
    lower = await client.post(path, json={"drop_questions": [bank[0]], "pass_score": 60}, headers=desk.one)
    assert float(lower.json()["after"]["estimate"]) > float(found["after"]["estimate"]) + 0.1


async def test_retirement_refuses_what_it_cannot_compute(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_campaign(kit, clock)
    bank = await fill_bank(kit, campaign, 3)
    path = url(campaign, "questions/retirement-effect")

    async def post(**body: object) -> httpx.Response:
        return await client.post(path, json=body, headers=desk.one)

    refused(await post(drop_questions=[bank[0]]), 409, "not_enough_data")
    refused(await post(drop_questions=bank), 409, "no_questions_left")
    assert faults(await post(drop_questions=[bank[0], "999999999"])) == {
        ("body.drop_questions.1", "question_unknown")
    }
    refused(await post(drop_questions=[]), 422, "invalid_request")
    refused(await post(drop_questions=["x"]), 422, "invalid_request")
    refused(await post(drop_questions=[True]), 422, "invalid_request")


async def test_forecast_from_the_data_so_far(
    client: httpx.AsyncClient, desk: Desk, answered: tuple[Published, list[int]]
) -> None:
    campaign, _ = answered
    found = await foresee(client, desk, campaign, days=6)
    assert found["basis"] | {"rescored": None} == {
        "participation": "observed",
        "observed_phase": 1,
        "observed_days": 3,
        "pass_rate": "observed",
        "choice_of_type": 0,
        "rescored": None,
    }
    assert (found["odds"], found["pass_score"], found["days"], found["runs"]) == ("0.2", 80, 6, 2000)
    assert found["so_far"]["attempts"] == 2150
    # Today has no attempts yet, so the plan begins with it: about 430, and falling by a fifth a day.
    assert found["first_day"] == found["daily"][0]["date"]
    assert [day["day"] for day in found["daily"]] == [1, 2, 3, 4, 5, 6]
    assert 300 < found["daily"][0]["attempts"]["median"] < 550
    assert found["daily"][5]["attempts"]["median"] < 0.6 * found["daily"][0]["attempts"]["median"]
    rate = found["so_far"]["passes"] / 2150
    assert float(found["pass_rate"]["p05"]) < rate < float(found["pass_rate"]["p95"])
    assert found["passes"]["median"] == pytest.approx(found["attempts"]["median"] * rate, rel=0.1)
    assert found["wins"]["median"] == pytest.approx(found["draws"]["median"] * 0.2, rel=0.15)
    assert sum(band["median"] for band in found["vouchers"].values()) == pytest.approx(
        found["wins"]["median"], rel=0.1
    )
    for name in ("attempts", "passes", "draws", "wins", "money_fen"):
        assert list(found[name]) == ["p05", "median", "p95"]
        assert found[name]["p05"] <= found[name]["median"] <= found[name]["p95"]
    assert found["budget_fen"] == 40 * 30_000 + 200 * 5_000
    assert await foresee(client, desk, campaign, days=6) == found


async def test_levers_move_the_forecast(
    client: httpx.AsyncClient, desk: Desk, answered: tuple[Published, list[int]]
) -> None:
    campaign, bank = answered
    plain = await foresee(client, desk, campaign)
    richer = await foresee(client, desk, campaign, odds=0.9)
    assert richer["wins"]["median"] > plain["wins"]["median"]
    assert richer["attempts"] == plain["attempts"]
    easier = await foresee(client, desk, campaign, pass_score=40)
    assert easier["passes"]["median"] > plain["passes"]["median"]
    without = await foresee(client, desk, campaign, drop_questions=[str(bank[0])])
    assert without["passes"]["median"] > plain["passes"]["median"]
    told = without["basis"]["rescored"]
    assert float(told["before"]["estimate"]) == pytest.approx(plain["so_far"]["passes"] / 2150, abs=1e-6)
    assert float(told["after"]["estimate"]) > float(told["before"]["estimate"])
    held = await foresee(client, desk, campaign, odds=1, release_per_day={"checkup": 0, "general_50": 10})
    assert held["vouchers"]["checkup"]["p95"] == 0
    assert [day["issued"]["p95"] for day in held["daily"]] == [10] * 5


async def test_a_new_phase_is_forecast_from_the_one_before(
    client: httpx.AsyncClient, desk: Desk, answered: tuple[Published, list[int]]
) -> None:
    campaign, _ = answered
    found = await foresee(client, desk, campaign, phase=2)
    assert found["basis"]["observed_phase"] == 1
    assert found["so_far"] == {"attempts": 0, "passes": 0, "draws": 0, "wins": 0, "money_fen": 0}
    assert 650 < found["daily"][0]["attempts"]["median"] < 1_200


async def test_odds_that_spend_the_budget(
    client: httpx.AsyncClient, desk: Desk, answered: tuple[Published, list[int]]
) -> None:
    campaign, _ = answered
    many = {"daily_attempts": [3_000, 2_500], "days": 5, "pass_rate": "0.5"}
    found = await foresee(client, desk, campaign, **many)
    odds = found["odds_to_spend_budget"]
    assert isinstance(odds, str)
    assert 0 < float(odds) < 1
    again = await foresee(client, desk, campaign, odds=odds, **many)
    assert again["money_fen"]["median"] >= 0.97 * found["budget_fen"]
    assert again["exhaustion_day"]["p05"] is not None
    few = await foresee(client, desk, campaign, daily_attempts=3, days=2)
    assert few["odds_to_spend_budget"] is None
    assert few["exhaustion_day"] == {"p05": None, "median": None, "p95": None}
    small = await foresee(client, desk, campaign, budget_fen=100_000, **many)
    assert float(small["odds_to_spend_budget"]) < float(odds) / 5
    assert found["pass_score_to_spend_budget"] is None
    answers = await foresee(client, desk, campaign, odds="0.5", daily_attempts=3_000)
    assert answers["pass_score_to_spend_budget"] in {0, 20, 40, 60, 80, 100}


async def test_forecast_from_what_is_entered_alone(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_campaign(kit, clock, stock=STOCK)
    refused(await ask(client, desk, campaign), 409, "participation_unknown")
    entered = await foresee(client, desk, campaign, daily_attempts=100, pass_rate=0.5, odds=1)
    assert entered["basis"] | {"rescored": None} == {
        "participation": "entered",
        "observed_phase": None,
        "observed_days": 0,
        "pass_rate": "entered",
        "choice_of_type": 0,
        "rescored": None,
    }
    assert entered["attempts"]["median"] == pytest.approx(500, rel=0.1)
    assert entered["draws"]["median"] == pytest.approx(240, rel=0.1)
    unknown = await foresee(client, desk, campaign, daily_attempts=100)
    assert unknown["basis"]["pass_rate"] == "unknown"
    assert unknown["passes"]["p95"] - unknown["passes"]["p05"] > 350


async def test_forecast_keeps_to_the_release_plan_of_the_phase(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    plan = {"release_plan": {"every": "day", "amounts": {"general_50": 10}}}
    stock = {"checkup": 5, "general_50": 100}
    campaign = await open_campaign(kit, clock, stock=stock, every_phase=plan)
    body = {"daily_attempts": 200, "pass_rate": 1, "odds": 1}
    found = await foresee(client, desk, campaign, **body)
    assert [day["issued"]["p95"] for day in found["daily"]] == [15, 10, 10, 10, 10]
    entered = await foresee(client, desk, campaign, **body, release_per_day={"general_50": 20})
    assert [day["issued"]["p95"] for day in entered["daily"]] == [25, 20, 20, 20, 20]


async def test_forecast_tells_every_way_apart(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    """Nobody tried the quiz: the events' chances have a trend of their own, or are entered."""
    campaign = await open_campaign(kit, clock, odds=1, stock={"general_50": 1_000})
    for count in (30, 25):
        await give_chances(kit, await new_person(kit), campaign, count)
        clock.advance(days=1)
    observed = await foresee(client, desk, campaign, days=2)
    assert observed["attempts"]["p95"] == 0
    assert observed["chances_by_channel"]["quiz"]["p95"] == 0
    assert 25 < observed["chances_by_channel"]["event"]["median"] < 80
    assert observed["chances"] == observed["chances_by_channel"]["event"]
    entered = await foresee(client, desk, campaign, days=2, daily_chances={"event": 300})
    assert entered["chances"]["median"] == pytest.approx(600, rel=0.1)
    assert entered["wins"]["median"] == pytest.approx(600, rel=0.1)


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({"daily_chances": {"quiz": 1}}, ("body.daily_chances.quiz", "channel_unknown")),
        ({"daily_chances": {"event": -1}}, ("body.daily_chances.event", "greater_than_equal")),
        ({"phase": 9}, ("body.phase", "phase_unknown")),
        ({"phase": 0}, ("body.phase", "greater_than_equal")),
        ({"odds": 0}, ("body.odds", "odds_range")),
        ({"odds": "1.000001"}, ("body.odds", "odds_range")),
        ({"odds": "0.1234567"}, ("body.odds", "rate_invalid")),
        ({"runs": 20_001}, ("body.runs", "less_than_equal")),
        ({"runs": 0}, ("body.runs", "greater_than_equal")),
        ({"days": 0}, ("body.days", "greater_than_equal")),
        ({"days": 367}, ("body.days", "less_than_equal")),
        ({"pass_score": 101}, ("body.pass_score", "less_than_equal")),
        ({"pass_rate": "1.1"}, ("body.pass_rate", "rate_range")),
        ({"drop_questions": ["123456789"]}, ("body.drop_questions.0", "question_unknown")),
        ({"release_per_day": {"gold": 1}}, ("body.release_per_day.gold", "voucher_type_unknown")),
        ({"surprise": 1}, ("body.surprise", "extra_forbidden")),
        ({"budget_fen": 0}, ("body.budget_fen", "greater_than_equal")),
    ],
)
async def test_malformed_plans_are_named(
    client: httpx.AsyncClient,
    desk: Desk,
    answered: tuple[Published, list[int]],
    body: dict[str, object],
    fault: tuple[str, str],
) -> None:
    assert fault in faults(await ask(client, desk, answered[0], **body))


async def test_plans_are_for_staff_that_reads_all(
    client: httpx.AsyncClient, kit: Kit, desk: Desk, answered: tuple[Published, list[int]]
) -> None:
    campaign, bank = answered
    body: dict[str, dict[str, object]] = {
        "forecast": {"phase": 1, "days": 1},
        "questions/retirement-effect": {"drop_questions": [str(bank[0])]},
        "questions/statistics": {},
        "funnel": {},
        "draw-monitor": {},
    }
    citizen = await new_person(kit)
    clerk = await signed_in_staff(kit, Role.INSTITUTION, institution_id="clinic")
    auditor = await signed_in_staff(kit, Role.AUDITOR)

    async def call(path: str, headers: dict[str, str]) -> httpx.Response:
        if body[path]:
            return await client.post(path_of(path), json=body[path], headers=headers)
        return await client.get(path_of(path), headers=headers)

    def path_of(what: str, slug: str = campaign.slug) -> str:
        return f"/issuance/v1/campaigns/{slug}/{what}"

    for path in body:
        refused(await call(path, {}), 401, "unauthenticated")
        refused(await call(path, citizen.headers), 401, "unauthenticated")
        refused(await call(path, clerk), 403, "forbidden")
        assert (await call(path, auditor)).status_code == 200
    for what in ("questions/statistics", "funnel", "draw-monitor"):
        missing = await client.get(path_of(what, "no-such"), headers=desk.one)
        refused(missing, 404, "not_found")
    refused(
        await client.post(path_of("forecast", "no-such"), json=body["forecast"], headers=desk.one),
        404,
        "not_found",
    )
    refused(
        await client.get(path_of("draw-monitor"), params={"phase": 7}, headers=desk.one), 404, "not_found"
    )


async def test_others_are_answered_while_a_forecast_is_computed(
    client: httpx.AsyncClient, desk: Desk, answered: tuple[Published, list[int]]
) -> None:
    campaign, _ = answered
    started, slowest, looks = machine_seconds(), 0.0, 0
    forecast = asyncio.ensure_future(ask(client, desk, campaign, runs=20_000, days=60))
    while not forecast.done():
        begin = machine_seconds()
        assert (await client.get(url(campaign, "").rstrip("/"))).status_code == 200
        slowest, looks = max(slowest, machine_seconds() - begin), looks + 1
        await asyncio.sleep(0.01)
    assert (await forecast).status_code == 200
    assert looks > 5
    assert slowest < (machine_seconds() - started) / 2, "nobody waits for the forecast"


async def test_who_would_wait_too_long_is_told_to_come_again() -> None:
    computing, gate = Computing(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def held() -> None:
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()

    waiting = [asyncio.ensure_future(computing.run(held)) for _ in range(WAITING_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await computing.run(int)
    gate.set()
    await asyncio.gather(*waiting)

    async def let_in() -> bool:
        try:
            return await computing.run(int, "7") == 7
        except Busy:
            return False

    # The last one's place is free as soon as the loop has heard of its end.
    await eventually(let_in)


async def gauges(client: httpx.AsyncClient, campaign: Published) -> dict[str, float]:
    """The values of a campaign that have no other label, by their names."""
    token = {"Authorization": "Bearer metrics-token-of-the-tests"}
    told = (await client.get("/issuance/metrics", headers=token)).text.splitlines()
    label = f'{{campaign="{campaign.slug}"}}'
    return {
        name.removesuffix(label): float(value)
        for name, _, value in (line.rpartition(" ") for line in told)
        if name.endswith(label)
    }


async def test_draw_monitor_compares_each_day_and_way(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_campaign(kit, clock, odds="0.2", phases=2)
    path = url(campaign, "draw-monitor")
    nothing = await read(client, desk, path)
    assert (nothing["alarm"], nothing["total"]["draws"], nothing["total"]["p"]) == (False, 0, 1.0)
    await record_draws(kit, campaign, won=201, lost=799)
    clock.advance(days=1)
    await record_draws(kit, campaign, won=40, lost=160)
    assert (await read(client, desk, path))["alarm"] is False
    assert (await gauges(client, campaign))["hv_draw_odds_alarm"] == 0
    await record_draws(kit, campaign, won=60, lost=80, channel="event")
    found = await read(client, desk, path)
    assert found["alarm"] is True
    told = await gauges(client, campaign)
    assert told["hv_draw_odds_alarm"] == 1
    assert told["hv_draw_odds_drift_p"] == pytest.approx(found["total"]["p"])
    assert await read(client, desk, path, phase=1) | {"as_of": ""} == found | {"as_of": ""}
    apart = {(c["date"][-2:], c["channel"]): c["alarm"] for c in found["by_day_and_channel"]}
    assert list(apart.values()) == [False, True, False]
    assert {c["channel"]: c["alarm"] for c in found["by_channel"]} == {"event": True, "quiz": False}
    assert found["by_channel"][1] | {"p": None} == {
        "channel": "quiz",
        "draws": 1200,
        "wins": 241,
        "expected_wins": "240",
        "announced_odds": "0.2",
        "observed_odds": "0.200833",
        "p": None,
        "alarm": False,
    }
    assert (await read(client, desk, path, phase=2))["total"]["draws"] == 0


async def test_funnel_tells_where_people_are_lost(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_campaign(kit, clock, odds=1)
    await fill_bank(kit, campaign)
    winner = Hands(client, await new_person(kit))
    await winner.start(campaign.slug)
    await winner.pass_quiz(campaign.slug)
    award = await winner.win(campaign.slug)
    assert (await winner.claim(award, "fitness")).status_code == 201
    await give_chances(kit, winner.person, campaign, 2)
    await winner.win(campaign.slug)
    found = await read(client, desk, url(campaign, "funnel"))
    assert found["started_estimated"] is False
    steps = {
        way["channel"]: {step["name"]: (step["count"], step["kept"]) for step in way["steps"]}
        for way in found["channels"]
    }
    assert steps["quiz"] == {
        "started": (2, None),
        "answered": (1, "0.5"),
        "passed": (1, "1"),
        "chances": (1, "1"),
        "draws": (1, "1"),
        "wins": (1, "1"),
        "claimed": (1, "1"),
        "redeemed": (0, "0"),
    }
    assert steps["event"]["chances"] == (2, None)
    assert steps["event"]["wins"] == (1, "1")
    assert steps["event"]["claimed"] == (0, "0")
    assert [(step["name"], step["count"]) for step in found["steps"]] == [
        ("chances", 3), ("draws", 2), ("wins", 2), ("claimed", 1), ("redeemed", 0),
    ]  # fmt: skip
    persons = {step["name"]: (step["count"], step["lost"]) for step in found["persons"]}
    everybody = persons["signed_in"][0]
    assert persons["verified"] == (everybody, 0)
    assert persons["took_part"] == (1, everybody - 1)
    assert [persons[name] for name in ("drew", "won", "claimed", "redeemed")] == [
        (1, 0),
        (1, 0),
        (1, 0),
        (0, 1),
    ]
    [day] = found["daily"]
    today = local_day(clock.now(), "Asia/Shanghai").isoformat()
    assert day == {"date": today, "opened": 0, "channels": found["channels"]}


async def test_funnel_tells_each_day_apart(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    """Started and won on one day, claimed on the next: each step counts on its own day."""
    campaign = await open_campaign(kit, clock, odds=1)
    await fill_bank(kit, campaign)
    hands = Hands(client, await new_person(kit))
    await hands.pass_quiz(campaign.slug)
    award = await hands.win(campaign.slug)
    clock.advance(days=1)
    assert (await hands.claim(award, "fitness")).status_code == 201
    found = await read(client, desk, url(campaign, "funnel"))
    quiz = [
        {step["name"]: step["count"] for step in way["steps"] if step["count"]}
        for day in found["daily"]
        for way in day["channels"]
        if way["channel"] == "quiz"
    ]
    assert quiz == [
        {"started": 1, "answered": 1, "passed": 1, "chances": 1, "draws": 1, "wins": 1},
        {"claimed": 1},
    ]


async def test_forecast_counts_what_was_drawn_and_claimed(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    """One of two wins was claimed, the other still waits: awards are claimed, so far as they are decided."""
    campaign = await open_campaign(kit, clock, odds=1, stock={"checkup": 5, "fitness": 5})
    await fill_bank(kit, campaign)
    for claims in (True, False):
        hands = Hands(client, await new_person(kit))
        await hands.pass_quiz(campaign.slug)
        award = await hands.win(campaign.slug)
        if claims:
            assert (await hands.claim(award, "fitness")).status_code == 201
    found = await foresee(client, desk, campaign, daily_attempts=0, days=2)
    assert found["so_far"] == {"attempts": 2, "passes": 2, "draws": 2, "wins": 2, "money_fen": 5_000}
    assert found["basis"]["choice_of_type"] == 1
    assert sum(band["p95"] for band in found["vouchers"].values()) >= 1
    assert found["money_fen"]["p95"] <= 30_000
    async with kit.database.snapshot() as tx:
        remaining = await tx.execute(
            text("SELECT sum(remaining) FROM issuance.phase_stock WHERE phase_id = :phase"),
            {"phase": campaign.phases[0]},
        )
        assert remaining.scalar_one() == 9
    assert found["budget_fen"] == 5 * 30_000 + 4 * 5_000
