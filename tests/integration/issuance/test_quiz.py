"""The quiz over HTTP: start, submit, and everything that it says no to."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.issuance.app import create_app
from shared.clock import ManualClock
from shared.kit import Kit
from shared.metrics import store as metrics
from shared.settings import Settings
from tests.support.campaigns import Published, open_campaign, publish_campaign
from tests.support.citizens import RIGHT, Hands, fill_bank, new_person, request_no, right_answers
from tests.support.desk import Desk
from tests.support.http import serving

pytestmark = pytest.mark.usefixtures("clock_returns")

UNKNOWN_ATTEMPT = "00" + "0" * 32


@pytest.fixture
async def hands(client: httpx.AsyncClient, kit: Kit) -> Hands:
    return Hands(client, await new_person(kit))


async def ready_campaign(kit: Kit, clock: ManualClock, **parts: Any) -> Published:  # noqa: ANN401 - parts of a definition
    campaign = await open_campaign(kit, clock, **parts)
    await fill_bank(kit, campaign)
    return campaign


async def scalar(kit: Kit, sql: str, **values: object) -> Any:  # noqa: ANN401 - whatever was selected
    async with kit.database.transaction() as tx:
        return (await tx.execute(text(sql), values)).scalar_one()


async def run(kit: Kit, sql: str, **values: object) -> None:
    async with kit.database.transaction() as tx:
        await tx.execute(text(sql), values)


async def requests_of(kit: Kit, hands: Hands) -> int:
    return int(
        await scalar(
            kit, "SELECT count(*) FROM core.request WHERE caller_id = :id", id=hands.person.address.uuid
        )
    )


async def figures(kit: Kit, campaign: Published) -> dict[tuple[str, str], int]:
    async with kit.database.snapshot() as tx:
        found = await metrics.figures(tx, [campaign.id], ["attempt", "participant", "chance"])
    totals: dict[tuple[str, str], int] = {}
    for figure in found:
        totals[figure.measure, figure.dim] = totals.get((figure.measure, figure.dim), 0) + figure.n
    return totals


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_an_attempt_shows_the_rules_number_of_questions_and_never_their_answers(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await ready_campaign(kit, clock)
    started = await hands.start(campaign.slug)
    attempt = started.json()
    assert started.status_code == 201
    assert attempt["expires_at"] == "2020-10-31T10:05:01+08:00"
    assert len(attempt["questions"]) == 5
    for question in attempt["questions"]:
        assert question.keys() == {"id", "text", "multiple", "options"}
        assert [option["key"] for option in question["options"]] == ["A", "B", "C", "D"]
        right = [option for option in question["options"] if option["text"].startswith(RIGHT)]
        assert question["multiple"] == (len(right) > 1)
    assert "解析" not in started.text


async def test_letters_do_not_tell_how_a_question_was_written(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await ready_campaign(kit, clock)
    letters = set()
    for _ in range(6):
        started = await Hands(client, await new_person(kit)).start(campaign.slug)
        letters |= {letter for answer in right_answers(started.json()).values() for letter in answer}
    assert letters == {"A", "B", "C", "D"}


async def test_right_answers_pass_and_grant_the_chances_of_the_definition(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    channels = [{"key": "quiz", "name": "网上答题", "chances": 3}]
    campaign = await ready_campaign(kit, clock, channels=channels)
    attempt = (await hands.start(campaign.slug)).json()
    answers = right_answers(attempt)
    marked = await hands.submit(attempt["attempt_id"], answers)
    mark = marked.json()
    assert marked.status_code == 200
    assert "idempotent-replay" not in marked.headers
    told = {name: mark[name] for name in ("score", "passed", "pass_score", "chances_granted")}
    assert told == {"score": 100, "passed": True, "pass_score": 60, "chances_granted": 3}
    assert {result["question_id"]: result["answer"] for result in mark["results"]} == answers
    assert all(result["correct"] and result["explanation"].startswith("解析") for result in mark["results"])
    chances = (await hands.get(f"/me/chances?campaign={campaign.slug}")).json()
    assert chances["available"] == 3
    assert [chance["channel"] for chance in chances["items"]] == ["quiz"] * 3


@pytest.mark.parametrize(("wrong", "score"), [(0, 100), (2, 60), (3, 40), (5, 0)])
async def test_an_attempt_passes_from_the_pass_mark_on(
    hands: Hands, kit: Kit, clock: ManualClock, wrong: int, score: int
) -> None:
    passed = score >= 60
    campaign = await ready_campaign(kit, clock)
    attempt = (await hands.start(campaign.slug)).json()
    mark = (await hands.submit(attempt["attempt_id"], right_answers(attempt, wrong=wrong))).json()
    assert (mark["score"], mark["passed"], mark["chances_granted"]) == (score, passed, int(passed))
    assert [result["correct"] for result in mark["results"]] == [place >= wrong for place in range(5)]
    # The explanation is there after a failure too: people are to learn.
    assert {r["question_id"]: r["answer"] for r in mark["results"]} == right_answers(attempt)


async def test_what_is_left_out_is_wrong(hands: Hands, kit: Kit, clock: ManualClock) -> None:
    campaign = await ready_campaign(kit, clock, quiz={"questions": 1})
    attempt = (await hands.start(campaign.slug)).json()
    mark = (await hands.submit(attempt["attempt_id"], {})).json()
    assert (mark["score"], mark["results"][0]["correct"]) == (0, False)
    stored = await scalar(
        kit, "SELECT answers FROM issuance.quiz_attempt WHERE campaign_id = :id", id=campaign.id
    )
    assert stored == [""]


async def test_a_repeated_start_is_answered_the_same_also_after_the_phase_and_while_paused(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await ready_campaign(kit, clock)
    first = await hands.start(campaign.slug, "r1")
    await run(kit, "UPDATE core.campaign SET status = 'paused' WHERE id = :id", id=campaign.id)
    again = await hands.start(campaign.slug, "r1")
    # Retired questions are not asked any more, but an attempt that asked them stays as it was.
    for change in (
        "UPDATE issuance.question SET retired_at = created_at WHERE campaign_id = :id",
        "UPDATE issuance.campaign_rules SET bank_version = bank_version + 1 WHERE campaign_id = :id",
    ):
        await run(kit, change, id=campaign.id)
    clock.set(campaign.closes_at + timedelta(days=1))
    later = await hands.start(campaign.slug, "r1")
    for answer in (again, later):
        assert (answer.status_code, answer.headers["idempotent-replay"]) == (200, "true")
        assert answer.json() == first.json()
    # A replay writes: its commit proves that the first answer is durable.
    replays = await scalar(
        kit, "SELECT replays FROM core.request WHERE caller_id = :id", id=hands.person.address.uuid
    )
    assert replays == 2


async def test_a_repeated_submission_is_answered_the_same_and_grants_nothing_more(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await ready_campaign(kit, clock)
    attempt = (await hands.start(campaign.slug)).json()
    first = await hands.submit(attempt["attempt_id"], right_answers(attempt), "r1")
    clock.advance(days=2)
    again = await hands.submit(attempt["attempt_id"], right_answers(attempt), "r1")
    assert (again.status_code, again.headers["idempotent-replay"]) == (200, "true")
    assert again.json() == first.json()
    assert (await hands.get("/me/chances")).json()["available"] == 1
    refused(await hands.submit(attempt["attempt_id"], {}, "r1"), 409, "request_no_reused")


async def test_a_number_used_in_one_campaign_is_refused_in_another(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    here = await ready_campaign(kit, clock)
    there = await publish_campaign(kit)
    await fill_bank(kit, there)
    clock.set(there.opens_at)
    assert (await hands.start(here.slug, "r1")).status_code == 201
    refused(await hands.start(there.slug, "r1"), 409, "request_no_reused")
    assert (await hands.start(there.slug, "r2")).status_code == 201


async def test_numbers_of_different_persons_and_operations_do_not_meet(
    client: httpx.AsyncClient, hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await ready_campaign(kit, clock)
    other = Hands(client, await new_person(kit))
    mine, theirs = await hands.start(campaign.slug, "r1"), await other.start(campaign.slug, "r1")
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["attempt_id"] != theirs.json()["attempt_id"]
    attempt = mine.json()
    assert (await hands.submit(attempt["attempt_id"], right_answers(attempt), "r1")).status_code == 200


async def test_starting_is_refused_by_name_and_leaves_nothing_behind(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await publish_campaign(kit, phases=2, lasts=timedelta(days=1))
    await fill_bank(kit, campaign)
    start = clock.now()

    refused(await hands.start(campaign.slug, "r1"), 409, "phase_not_open")
    clock.set(campaign.opens_at - timedelta(microseconds=1))
    refused(await hands.start(campaign.slug, "r1"), 409, "phase_not_open")
    clock.set(campaign.opens_at)
    await run(kit, "UPDATE core.campaign SET status = 'paused' WHERE id = :id", id=campaign.id)
    refused(await hands.start(campaign.slug, "r1"), 409, "campaign_paused")
    clock.set(start)
    refused(await hands.start(campaign.slug, "r1"), 409, "phase_not_open")
    await run(kit, "UPDATE core.campaign SET status = 'published' WHERE id = :id", id=campaign.id)
    clock.set(campaign.opens_at + timedelta(days=1))
    refused(await hands.start(campaign.slug, "r1"), 409, "phase_not_open")
    clock.set(campaign.closes_at)
    refused(await hands.start(campaign.slug, "r1"), 409, "phase_not_open")
    await run(kit, "UPDATE core.campaign SET status = 'ended' WHERE id = :id", id=campaign.id)
    clock.set(campaign.opens_at)
    refused(await hands.start(campaign.slug, "r1"), 409, "phase_not_open")
    refused(await hands.start("no-such-campaign", "r1"), 404, "not_found")
    assert await requests_of(kit, hands) == 0

    await run(kit, "UPDATE core.campaign SET status = 'published' WHERE id = :id", id=campaign.id)
    assert (await hands.start(campaign.slug, "r1")).status_code == 201


async def test_without_questions_the_quiz_is_not_ready_and_begins_as_soon_as_there_are_some(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock)
    refused(await hands.start(campaign.slug), 409, "quiz_not_ready")
    await fill_bank(kit, campaign, 3)
    started = await hands.start(campaign.slug)
    # A bank smaller than the rule asks for: everything that there is.
    assert (started.status_code, len(started.json()["questions"])) == (201, 3)


async def test_the_days_attempts_end_at_midnight_of_the_campaign(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await ready_campaign(kit, clock, quiz={"attempts_per_day": 2})
    clock.set(campaign.opens_at.replace(hour=15, minute=59, second=59))  # 23:59:59 in China
    for _ in range(2):
        assert (await hands.start(campaign.slug)).status_code == 201
    refused(await hands.start(campaign.slug, "r1"), 409, "attempts_exhausted")
    clock.advance(seconds=1)
    assert (await hands.start(campaign.slug, "r1")).status_code == 201
    counted = await scalar(
        kit, "SELECT attempts_today FROM issuance.participant WHERE campaign_id = :id", id=campaign.id
    )
    assert counted == 1


async def test_an_attempt_keeps_its_rule_and_the_next_has_the_new_one(
    hands: Hands, desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await ready_campaign(kit, clock)
    before = (await hands.start(campaign.slug)).json()
    rule = {"questions": 4, "pass_score": 100, "attempts_per_day": 2, "time_limit_seconds": 60}
    clock.advance(seconds=10)
    url = f"/issuance/v1/campaigns/{campaign.slug}/phases/1/quiz-rule"
    assert (await desk.approve(await desk.propose(url, rule | {"reason": "降低难度"}))).status_code == 200
    after = (await hands.start(campaign.slug)).json()
    assert (len(before["questions"]), len(after["questions"])) == (5, 4)
    assert after["expires_at"] == "2020-10-31T10:01:11+08:00"
    refused(await hands.start(campaign.slug), 409, "attempts_exhausted")
    clock.advance(seconds=120)
    kept = (await hands.submit(before["attempt_id"], right_answers(before, wrong=2))).json()
    assert (kept["passed"], kept["pass_score"]) == (True, 60)
    refused(await hands.submit(after["attempt_id"], right_answers(after)), 409, "attempt_expired")


async def test_a_blueprint_decides_how_many_of_each_difficulty_are_asked(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await ready_campaign(kit, clock, quiz={"questions": 6, "blueprint": {"1": 1, "3": 5}})
    attempt = (await hands.start(campaign.slug)).json()
    async with kit.database.snapshot() as tx:
        rows = await tx.execute(
            text("SELECT difficulty FROM issuance.question WHERE id = ANY(:ids) ORDER BY difficulty"),
            {"ids": [int(question["id"]) for question in attempt["questions"]]},
        )
        assert [row.difficulty for row in rows] == [1, 3, 3, 3, 3, 3]


async def test_a_question_does_not_come_again_while_the_bank_has_others(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await ready_campaign(kit, clock, quiz={"attempts_per_day": 4})
    asked: list[str] = []
    for _ in range(4):
        attempt = (await hands.start(campaign.slug)).json()
        asked += [question["id"] for question in attempt["questions"]]
    assert len(set(asked)) == 20


async def test_submitting_is_refused_by_name_and_leaves_nothing_behind(
    client: httpx.AsyncClient, hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await ready_campaign(kit, clock)
    attempt = (await hands.start(campaign.slug)).json()
    number, answers = attempt["attempt_id"], right_answers(attempt)
    stranger = Hands(client, await new_person(kit))
    question = attempt["questions"][0]["id"]

    for unknown in (UNKNOWN_ATTEMPT, "x", "0" * 34 + "0", number[:-1] + "g", number.lower() + " "):
        refused(await hands.submit(unknown, answers), 404, "not_found")
    refused(await stranger.submit(number, answers), 404, "not_found")
    for bad, loc, code in (
        ({"999999": ["A"]}, "body.answers.999999", "question_unknown"),
        ({question: ["E"]}, f"body.answers.{question}", "option_unknown"),
        ({question: ["a"]}, f"body.answers.{question}", "option_unknown"),
    ):
        answer = await hands.submit(number, bad)
        refused(answer, 422, "invalid_request")
        assert (answer.json()["errors"][0]["loc"], answer.json()["errors"][0]["code"]) == (loc, code)
    assert await requests_of(kit, hands) == 1  # the start

    clock.advance(seconds=300)
    refused(await hands.submit(number, answers), 409, "attempt_expired")
    clock.advance(seconds=-1)
    assert (await hands.submit(number, answers, "r1")).status_code == 200
    refused(await hands.submit(number, answers, "r2"), 409, "attempt_already_answered")
    clock.advance(seconds=300)
    refused(await hands.submit(number, answers, "r2"), 409, "attempt_already_answered")
    assert (await hands.get("/me/chances")).json()["available"] == 1
    assert await requests_of(kit, hands) == 2


async def test_answers_faster_than_a_human_are_sent_back_and_may_come_again(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await ready_campaign(kit, clock, quiz={"min_seconds": 20})
    attempt = (await hands.start(campaign.slug)).json()
    clock.advance(seconds=19)
    too_soon = await hands.submit(attempt["attempt_id"], right_answers(attempt), "r1")
    refused(too_soon, 409, "submitted_too_soon")
    assert "20" not in too_soon.json()["detail"]
    clock.advance(seconds=1)
    assert (await hands.submit(attempt["attempt_id"], right_answers(attempt), "r1")).status_code == 200


async def test_the_days_figures_count_answered_attempts_and_each_person_once_a_day(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await ready_campaign(kit, clock)
    one, two = [Hands(client, await new_person(kit)) for _ in range(2)]
    clock.set(campaign.opens_at.replace(hour=15, minute=59))
    late = (await one.start(campaign.slug)).json()
    await one.pass_quiz(campaign.slug)
    failed = (await two.start(campaign.slug)).json()
    await two.submit(failed["attempt_id"], {})
    await two.start(campaign.slug)  # never answered: counts nowhere
    assert await figures(kit, campaign) == {
        ("attempt", "passed"): 1, ("attempt", "failed"): 1, ("participant", ""): 2, ("chance", "quiz"): 1
    }  # fmt: skip
    clock.advance(minutes=2)  # the next day: begun yesterday, answered today
    await one.submit(late["attempt_id"], right_answers(late))
    await one.pass_quiz(campaign.slug)
    assert await figures(kit, campaign) == {
        ("attempt", "passed"): 3, ("attempt", "failed"): 1, ("participant", ""): 3, ("chance", "quiz"): 3
    }  # fmt: skip


async def test_a_person_counts_once_a_day_also_when_clocks_disagree_about_midnight(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await ready_campaign(kit, clock)
    await hands.start(campaign.slug)
    # Another process, whose clock is ahead, has seen an answer of tomorrow already.
    ahead = "UPDATE issuance.participant SET answered_day = '2020-11-01' WHERE campaign_id = :id"
    await run(kit, ahead, id=campaign.id)
    for _ in range(2):
        await hands.pass_quiz(campaign.slug)
        assert (await figures(kit, campaign))["participant", ""] == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/campaigns/any/quiz-attempts", b"{}"),
        ("/campaigns/any/quiz-attempts", b'{"request_no": "r1", "more": 1}'),
        ("/campaigns/any/quiz-attempts", b'{"request_no": "r1\\n"}'),
        ("/campaigns/any/quiz-attempts", b"not json"),
        ("/campaigns/any/quiz-attempts", b"\xff\xfe"),
        ("/campaigns/any/quiz-attempts", b""),
        (f"/quiz-attempts/{UNKNOWN_ATTEMPT}/answers", b'{"request_no": "r1"}'),
        (f"/quiz-attempts/{UNKNOWN_ATTEMPT}/answers", b'{"request_no": "r1", "answers": {"1": "A"}}'),
        (f"/quiz-attempts/{UNKNOWN_ATTEMPT}/answers", b'{"request_no": "r1", "answers": ' + b"[" * 5000),
    ],
)
async def test_malformed_bodies_are_422_with_the_place(hands: Hands, path: str, body: bytes) -> None:
    headers = hands.person.headers | {"Content-Type": "application/json"}
    answer = await hands.client.post(f"/issuance/v1{path}", content=body, headers=headers)
    refused(answer, 422, "invalid_request")
    assert answer.json()["errors"][0]["loc"].startswith("body")


async def test_strangers_and_staff_are_not_citizens(client: httpx.AsyncClient, desk: Desk) -> None:
    for path, body in (
        ("/campaigns/any/quiz-attempts", {"request_no": "r1"}),
        (f"/quiz-attempts/{UNKNOWN_ATTEMPT}/answers", {"request_no": "r1", "answers": {}}),
    ):
        for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}, desk.one):
            answer = await client.post(f"/issuance/v1{path}", json=body, headers=headers)
            refused(answer, 401, "unauthenticated")


async def test_a_person_that_hammers_is_told_when_to_come_back(
    settings: Settings, kit: Kit, clock: ManualClock
) -> None:
    limited = settings.model_copy(update={"rate_limits": "on"})
    async with serving(issuance=create_app(limited, clock=clock)) as client:
        hands = Hands(client, await new_person(kit))
        answers = [await hands.start("no-such-campaign", request_no()) for _ in range(31)]
        assert [answer.status_code for answer in answers] == [404] * 30 + [429]
        assert int(answers[-1].headers["retry-after"]) > 0
        neighbour = Hands(client, await new_person(kit))
        refused(await neighbour.start("no-such-campaign"), 404, "not_found")


async def test_hot_calls_are_documented_with_their_path_and_their_replay(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/issuance/openapi.json")).json()["paths"]
    for path, parameter in (
        ("/issuance/v1/campaigns/{slug}/quiz-attempts", "slug"),
        ("/issuance/v1/campaigns/{slug}/draws", "slug"),
        ("/issuance/v1/awards/{award_id}/claim", "award_id"),
    ):
        call = paths[path]["post"]
        assert [(entry["in"], entry["name"]) for entry in call["parameters"]] == [("path", parameter)]
        first, again = (call["responses"][status]["content"]["application/json"] for status in ("201", "200"))
        assert first["schema"] == again["schema"]
