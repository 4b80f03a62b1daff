"""An attempt goes on after the line was lost: the same questions, the seconds left, drafts, the result."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.clock import ManualClock, rfc3339
from shared.ids import HotId, new_id
from shared.kit import Kit
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, fill_bank, new_person, right_answers
from tests.support.ways import faults, refused

pytestmark = pytest.mark.usefixtures("clock_returns")


@pytest.fixture
async def campaign(kit: Kit, clock: ManualClock) -> Published:
    made = await open_campaign(kit, clock, quiz={"attempts_per_day": 5, "time_limit_seconds": 300})
    await fill_bank(kit, made)
    return made


@pytest.fixture
async def hands(client: httpx.AsyncClient, kit: Kit) -> Hands:
    return Hands(client, await new_person(kit))


async def started(hands: Hands, campaign: Published, number: str | None = None) -> dict[str, Any]:
    answer = await hands.start(campaign.slug, number)
    assert answer.status_code in {200, 201}, answer.text
    attempt: dict[str, Any] = answer.json()
    return attempt


async def as_left(hands: Hands, attempt: dict[str, Any]) -> dict[str, Any]:
    answer = await hands.get(f"/quiz-attempts/{attempt['attempt_id']}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def current(hands: Hands, campaign: Published) -> httpx.Response:
    return await hands.get(f"/campaigns/{campaign.slug}/quiz-attempts/current")


async def draft(hands: Hands, attempt: dict[str, Any], answers: object) -> httpx.Response:
    url = f"/issuance/v1/quiz-attempts/{attempt['attempt_id']}/draft"
    return await hands.client.put(url, json={"answers": answers}, headers=hands.person.headers)


async def test_an_attempt_comes_back_as_it_was_shown_with_the_seconds_that_are_left(
    hands: Hands, campaign: Published, clock: ManualClock
) -> None:
    attempt = await started(hands, campaign)
    clock.advance(seconds=100)
    found = await as_left(hands, attempt)
    assert found["questions"] == attempt["questions"]
    assert (found["state"], found["seconds_left"], found["campaign"]) == ("open", 200, campaign.slug)
    assert (found["expires_at"], found["draft"], found["result"]) == (attempt["expires_at"], {}, None)
    assert found["started_at"] == rfc3339(clock.now() - timedelta(seconds=100))
    assert (await current(hands, campaign)).json() == found
    assert "解析" not in str(found)


async def test_its_result_comes_back_after_it_was_answered(
    hands: Hands, campaign: Published, clock: ManualClock
) -> None:
    attempt = await started(hands, campaign)
    told = (await hands.submit(attempt["attempt_id"], right_answers(attempt, wrong=1))).json()
    clock.advance(hours=30)
    found = await as_left(hands, attempt)
    assert (found["state"], found["seconds_left"], found["draft"]) == ("answered", 0, {})
    assert found["result"] == told
    assert (await current(hands, campaign)).json() == found


async def test_the_open_attempt_is_the_current_one_and_else_the_last(
    hands: Hands, campaign: Published, clock: ManualClock
) -> None:
    first = await started(hands, campaign)
    second = await started(hands, campaign)
    assert (await current(hands, campaign)).json()["attempt_id"] == second["attempt_id"]
    await hands.submit(second["attempt_id"], {})
    assert (await current(hands, campaign)).json()["attempt_id"] == first["attempt_id"]
    clock.advance(seconds=300)
    last = (await current(hands, campaign)).json()
    assert (last["attempt_id"], last["state"]) == (second["attempt_id"], "answered")
    expired = await as_left(hands, first)
    assert (expired["state"], expired["seconds_left"], expired["result"]) == ("expired", 0, None)


async def test_a_repeated_start_shows_what_resuming_shows(hands: Hands, campaign: Published) -> None:
    attempt = await started(hands, campaign, "s1")
    assert await started(hands, campaign, "s1") == attempt
    assert (await as_left(hands, attempt))["questions"] == attempt["questions"]


async def test_drafts_are_kept_in_the_letters_that_were_shown_and_never_marked(
    hands: Hands, campaign: Published, clock: ManualClock
) -> None:
    attempt = await started(hands, campaign)
    one, other = attempt["questions"][:2]
    kept = await draft(hands, attempt, {one["id"]: ["B"], other["id"]: ["C", "A"]})
    assert (kept.status_code, kept.json()) == (
        200,
        {"attempt_id": attempt["attempt_id"], "seconds_left": 300},
    )
    assert (await as_left(hands, attempt))["draft"] == {one["id"]: ["B"], other["id"]: ["A", "C"]}
    assert (await draft(hands, attempt, {other["id"]: ["D"]})).status_code == 200
    assert (await as_left(hands, attempt))["draft"] == {other["id"]: ["D"]}
    clock.advance(seconds=299)
    assert (await draft(hands, attempt, {})).json()["seconds_left"] == 1
    assert (await as_left(hands, attempt))["draft"] == {}
    await draft(hands, attempt, right_answers(attempt))
    marked = (await hands.submit(attempt["attempt_id"], {})).json()
    assert (marked["score"], marked["passed"]) == (0, False)


async def test_what_cannot_be_kept_is_refused_by_name(
    hands: Hands, campaign: Published, clock: ManualClock
) -> None:
    answered = await started(hands, campaign)
    await hands.submit(answered["attempt_id"], {})
    refused(await draft(hands, answered, {}), 409, "attempt_already_answered")
    late = await started(hands, campaign)
    shown = late["questions"][0]["id"]
    assert faults(await draft(hands, late, {"0": ["A"]})) == {("body.answers.0", "question_unknown")}
    assert faults(await draft(hands, late, {shown: ["F"]})) == {(f"body.answers.{shown}", "option_unknown")}
    refused(await draft(hands, late, {shown: "A"}), 422, "invalid_request")
    clock.advance(seconds=300)
    refused(await draft(hands, late, {}), 409, "attempt_expired")


async def test_nobody_sees_or_touches_anothers_attempt(
    client: httpx.AsyncClient, kit: Kit, hands: Hands, campaign: Published
) -> None:
    attempt = await started(hands, campaign)
    stranger = Hands(client, await new_person(kit))
    somewhere = {"attempt_id": str(HotId(hands.person.address.bucket, new_id()))}
    for someone, asked in ((stranger, attempt), (hands, somewhere), (hands, {"attempt_id": "nothing"})):
        refused(await someone.get(f"/quiz-attempts/{asked['attempt_id']}"), 404, "not_found")
        refused(await draft(someone, asked, {}), 404, "not_found")
    refused(await current(stranger, campaign), 404, "not_found")
    refused(await hands.get("/campaigns/nowhere/quiz-attempts/current"), 404, "not_found")
    for path in (
        f"/quiz-attempts/{attempt['attempt_id']}",
        f"/campaigns/{campaign.slug}/quiz-attempts/current",
    ):
        refused(await client.get(f"/issuance/v1{path}"), 401, "unauthenticated")
    assert (await as_left(hands, attempt))["draft"] == {}
