"""Answers that need the token of their attempt, where the quiz rule asks for it."""

import httpx
import pytest

from shared.clock import ManualClock
from shared.kit import Kit
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, fill_bank, new_person, request_no, right_answers
from tests.support.ways import refused

pytestmark = pytest.mark.usefixtures("clock_returns")


async def asking(kit: Kit, clock: ManualClock, *, token: bool = True) -> Published:
    campaign = await open_campaign(kit, clock, quiz={"attempt_token": token})
    await fill_bank(kit, campaign)
    return campaign


async def submit(hands: Hands, attempt: dict[str, object], **parts: object) -> httpx.Response:
    body = {"request_no": request_no(), "answers": right_answers(attempt)} | parts
    url = f"/issuance/v1/quiz-attempts/{attempt['attempt_id']}/answers"
    return await hands.client.post(url, json=body, headers=hands.person.headers)


async def test_answers_are_taken_with_the_token_of_their_own_attempt_once(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await asking(kit, clock)
    hands, other = Hands(client, await new_person(kit)), Hands(client, await new_person(kit))
    number = request_no()
    attempt = (await hands.start(campaign.slug, number)).json()
    again = await hands.start(campaign.slug, number)
    assert (again.status_code, again.json()) == (200, attempt), "a repeated start tells the same token"
    foreign = (await other.start(campaign.slug)).json()
    second = (await hands.start(campaign.slug)).json()
    token = attempt["attempt_token"]
    wrong = [None, "", token[:-1], token + "A", token.swapcase(), foreign["attempt_token"]]
    for sent in [*wrong, second["attempt_token"]]:
        parts = {} if sent is None else {"attempt_token": sent}
        refused(await submit(hands, attempt, **parts), 403, "attempt_token_invalid")
    taken = request_no()
    first = await submit(hands, attempt, attempt_token=token, request_no=taken)
    assert (first.status_code, first.json()["passed"]) == (200, True)
    replay = await submit(hands, attempt, attempt_token=token, request_no=taken)
    assert (replay.json(), replay.headers["Idempotent-Replay"]) == (first.json(), "true")
    refused(await submit(hands, attempt, attempt_token=token), 409, "attempt_already_answered")


async def test_token_ends_with_its_attempt_and_comes_back_with_it(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await asking(kit, clock)
    hands = Hands(client, await new_person(kit))
    attempt = (await hands.start(campaign.slug)).json()
    left = await hands.get(f"/quiz-attempts/{attempt['attempt_id']}")
    assert left.json()["attempt_token"] == attempt["attempt_token"]
    clock.advance(seconds=301)
    late = await submit(hands, attempt, attempt_token=attempt["attempt_token"])
    refused(late, 409, "attempt_expired")
    left = await hands.get(f"/quiz-attempts/{attempt['attempt_id']}")
    assert left.json()["attempt_token"] is None


async def test_without_the_rule_no_token_is_told_or_asked_for(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await asking(kit, clock, token=False)
    hands = Hands(client, await new_person(kit))
    attempt = (await hands.start(campaign.slug)).json()
    assert set(attempt) == {"attempt_id", "expires_at", "questions"}
    assert (await submit(hands, attempt)).status_code == 200
    second = (await hands.start(campaign.slug)).json()
    assert (await submit(hands, second, attempt_token="whatever")).status_code == 200
