"""The bank as clerks keep it: versions, retirement, filters, a workbook that comes back."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.issuance.app import create_app
from services.issuance.bank import operations
from services.issuance.quiz import operations as quiz
from shared.clock import ManualClock
from shared.documents.cells import evaluates
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import Published, open_campaign, publish_campaign
from tests.support.citizens import Hands, new_person
from tests.support.desk import Desk
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.ways import refused, rows

NOWHERE = "999999999"


def question(number: int, **parts: object) -> dict[str, Any]:
    return {
        "text": f"第 {number} 题：饭前要做什么？",
        "options": {"A": "洗手", "B": "跑步", "C": "唱歌"},
        "answer": ["A"],
        "explanation": "饭前洗手。",
        "difficulty": number % 3 + 1,
        "category": "健康素养" if number % 2 else "用药安全",
    } | parts


def url(campaign: Published, *rest: str) -> str:
    return "/".join((f"/issuance/v1/campaigns/{campaign.slug}/questions", *rest))


async def fill(desk: Desk, campaign: Published, *questions: dict[str, Any]) -> list[dict[str, Any]]:
    """The bank after these questions were added."""
    added = await desk.propose(url(campaign), {"questions": list(questions)})
    assert (added.status_code, added.json()["rejected"]) == (201, 0), added.text
    return await listed(desk, campaign)


async def listed(desk: Desk, campaign: Published, **filters: object) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    params: dict[str, Any] = {"limit": 2, **filters}
    while True:
        answer = await desk.client.get(url(campaign), params=params, headers=desk.other)
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        params["cursor"] = answer.json()["next_cursor"]
        if params["cursor"] is None:
            return items


async def edit(desk: Desk, campaign: Published, question_id: str, body: dict[str, Any]) -> httpx.Response:
    return await desk.client.put(url(campaign, question_id), json=body, headers=desk.one)


async def tell(
    desk: Desk, campaign: Published, question_id: str, what: str, **parts: object
) -> httpx.Response:
    body = {"reason": "内容过时"} | parts
    return await desk.client.post(url(campaign, question_id, what), json=body, headers=desk.one)


@pytest.fixture(scope="module")
async def client(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """A service that looks at the bank anew for every attempt: here nobody waits for a second to pass."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quiz, "_REMEMBERED_SECONDS", 0.0)
        async with serving(issuance=create_app(settings, clock=clock)) as client:
            yield client


@pytest.fixture
async def campaign(kit: Kit) -> Published:
    return await publish_campaign(kit)


async def test_questions_are_listed_page_by_page_and_found_by_what_they_are(
    desk: Desk, campaign: Published
) -> None:
    bank = await fill(desk, campaign, *(question(number) for number in range(1, 8)))
    assert [item["text"][:3] for item in bank] == [f"第 {number}" for number in range(1, 8)]
    assert bank[0]["version"] == 1
    assert bank[0]["first_question_id"] == bank[0]["question_id"]
    assert (bank[0]["answer"], bank[0]["multiple"], bank[0]["state"]) == (["A"], False, "active")
    by = {
        "category=用药安全": await listed(desk, campaign, category="用药安全"),
        "difficulty=2": await listed(desk, campaign, difficulty=2),
        "q=第 3": await listed(desk, campaign, q="第 3"),
        "both": await listed(desk, campaign, category="健康素养", difficulty=1),
        "none": await listed(desk, campaign, q="%"),
        "without category": await listed(desk, campaign, category=""),
    }
    assert {name: [item["text"][2] for item in found] for name, found in by.items()} == {
        "category=用药安全": ["2", "4", "6"],
        "difficulty=2": ["1", "4", "7"],
        "q=第 3": ["3"],
        "both": ["3"],
        "none": [],
        "without category": [],
    }


async def test_the_summary_says_what_a_blueprint_can_ask_for(desk: Desk, campaign: Published) -> None:
    bank = await fill(desk, campaign, *(question(number) for number in range(1, 7)))
    await tell(desk, campaign, bank[0]["question_id"], "retire")
    found = (await desk.client.get(url(campaign, "summary"), headers=desk.one)).json()
    assert (found["active"], found["retired"]) == (5, 1)
    assert found["cells"] == [
        {"difficulty": 1, "category": "健康素养", "active": 1},
        {"difficulty": 1, "category": "用药安全", "active": 1},
        {"difficulty": 2, "category": "用药安全", "active": 1},
        {"difficulty": 3, "category": "健康素养", "active": 1},
        {"difficulty": 3, "category": "用药安全", "active": 1},
    ]


async def test_an_edit_is_a_new_version_and_the_old_one_stays_as_it_was(
    desk: Desk, campaign: Published
) -> None:
    [before] = await fill(desk, campaign, question(1))
    answer = await edit(desk, campaign, before["question_id"], question(1, text="便后要做什么？"))
    made = answer.json()
    assert (answer.status_code, made["version"], made["state"]) == (200, 2, "active")
    [now] = await listed(desk, campaign)
    assert (now["question_id"], now["text"]) == (made["question_id"], "便后要做什么？")
    assert now["first_question_id"] == before["question_id"]
    history = await desk.client.get(url(campaign, made["question_id"], "versions"), headers=desk.other)
    old, new = history.json()
    assert new == now
    assert (old["text"], old["state"]) == (before["text"], "replaced")
    assert [item["version"] for item in await listed(desk, campaign, state="replaced")] == [1]
    back = (await edit(desk, campaign, now["question_id"], question(1))).json()
    assert back["version"] == 3


async def test_difficulty_and_category_are_corrected_without_a_new_version(
    desk: Desk, campaign: Published
) -> None:
    [before] = await fill(desk, campaign, question(1))
    answer = await edit(desk, campaign, before["question_id"], question(1, difficulty=3, category="运动"))
    assert answer.json() == {"question_id": before["question_id"], "version": 1, "state": "active"}
    [now] = await listed(desk, campaign)
    assert (now["difficulty"], now["category"]) == (3, "运动")


@pytest.mark.usefixtures("clock_returns")
async def test_attempts_keep_the_version_that_they_showed(desk: Desk, kit: Kit, clock: ManualClock) -> None:
    campaign = await open_campaign(kit, clock, quiz={"questions": 1, "pass_score": 100})
    [before] = await fill(desk, campaign, question(1))
    hands = Hands(desk.client, await new_person(kit))
    shown = (await hands.start(campaign.slug)).json()
    better = question(1, text="吃饭以前呢？", answer=["B"], explanation="改了。")
    edited = (await edit(desk, campaign, before["question_id"], better)).json()
    [asked] = shown["questions"]
    right = [option["key"] for option in asked["options"] if option["text"] == "洗手"]
    marked = await hands.submit(shown["attempt_id"], {asked["id"]: right}, "n1")
    [result] = marked.json()["results"]
    assert (marked.json()["passed"], result["explanation"]) == (True, "饭前洗手。")
    assert (await hands.submit(shown["attempt_id"], {asked["id"]: right}, "n1")).json() == marked.json()
    following = (await hands.start(campaign.slug)).json()
    assert [(item["id"], item["text"]) for item in following["questions"]] == [
        (edited["question_id"], "吃饭以前呢？")
    ]


@pytest.mark.usefixtures("clock_returns")
async def test_a_retired_question_is_asked_no_more_until_it_is_put_back(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, quiz={"questions": 2, "attempts_per_day": 9})
    one, other = await fill(desk, campaign, question(1), question(2))
    hands = Hands(desk.client, await new_person(kit))

    async def asked() -> set[str]:
        return {item["id"] for item in (await hands.start(campaign.slug)).json()["questions"]}

    assert await asked() == {one["question_id"], other["question_id"]}
    retired = await tell(desk, campaign, one["question_id"], "retire")
    assert retired.json() == {"question_id": one["question_id"], "version": 1, "state": "retired"}
    assert await asked() == {other["question_id"]}
    [gone] = await listed(desk, campaign, state="retired")
    assert (gone["question_id"], gone["retired_reason"]) == (one["question_id"], "内容过时")
    assert len(await listed(desk, campaign, state="all")) == 2
    again = await tell(desk, campaign, one["question_id"], "reactivate", reason="仍然适用")
    assert again.json()["state"] == "active"
    assert await asked() == {one["question_id"], other["question_id"]}


async def test_what_cannot_be_done_to_a_question_is_refused_by_name(desk: Desk, campaign: Published) -> None:
    one, other = await fill(desk, campaign, question(1), question(2))
    await edit(desk, campaign, one["question_id"], question(1, text="换一种问法"))
    for answer in (
        await edit(desk, campaign, one["question_id"], question(1, text="再换一种")),
        await tell(desk, campaign, one["question_id"], "retire"),
        await tell(desk, campaign, one["question_id"], "reactivate"),
    ):
        refused(answer, 409, "question_replaced")
    taken = question(2, text="换一种问法", options=question(1)["options"])
    refused(await edit(desk, campaign, other["question_id"], taken), 409, "question_exists")
    for question_id in (NOWHERE, "nobody", "9" * 30, "１"):
        refused(await edit(desk, campaign, question_id, question(3)), 404, "not_found")
        refused(await tell(desk, campaign, question_id, "retire"), 404, "not_found")
    elsewhere = await desk.client.get(url(campaign, NOWHERE, "versions"), headers=desk.one)
    refused(elsewhere, 404, "not_found")
    wrong = await edit(desk, campaign, other["question_id"], question(2, answer=["F"], difficulty=7))
    refused(wrong, 422, "invalid_request")
    assert {fault["code"] for fault in wrong.json()["errors"]} == {
        "answer_without_option",
        "difficulty_unknown",
    }


async def test_a_repeated_edit_is_one_version(desk: Desk, campaign: Published) -> None:
    [before] = await fill(desk, campaign, question(1))
    body = question(1, text="换一种问法") | {"request_no": "e1"}
    first = await edit(desk, campaign, before["question_id"], body)
    again = await edit(desk, campaign, before["question_id"], body)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotent-Replay"] == "true"
    assert len(await listed(desk, campaign, state="replaced")) == 1


async def test_the_exported_workbook_comes_back_and_changes_nothing(
    desk: Desk, kit: Kit, campaign: Published
) -> None:
    several = question(3, answer=["A", "C"], text="=1+1 是多少？\n（多选）", explanation=None, category=None)
    await fill(desk, campaign, question(1), question(2), several)
    answer = await desk.client.get(url(campaign, "export.xlsx"), headers=desk.one)
    assert answer.status_code == 200
    assert len(read_rows(answer.content)) == 4
    files = {"file": ("bank.xlsx", answer.content)}
    report = (await desk.client.post(url(campaign, "import"), files=files, headers=desk.one)).json()
    assert (report["rows"], report["duplicates"], report["rejected"]) == (3, 3, 0)
    fresh = await publish_campaign(kit)
    moved = (await desk.client.post(url(fresh, "import"), files=files, headers=desk.one)).json()
    assert (moved["accepted"], moved["errors"]) == (3, [])
    ours, theirs = await listed(desk, campaign), await listed(desk, fresh)
    for item in ours + theirs:
        for name in ("question_id", "first_question_id", "created_at"):
            del item[name]
    assert ours == theirs


async def test_a_large_bank_is_streamed_as_csv_and_no_workbook(
    desk: Desk, kit: Kit, campaign: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "WORKBOOK_ROWS_MAX", 2)
    monkeypatch.setattr(operations, "_EXPORT_PAGE", 2)
    several = question(
        3, answer=["A", "C"], text="=1+1, “是”多少？\n（多选）", explanation=None, category=None
    )
    await fill(desk, campaign, question(1), question(2), several, question(4), question(5))
    refused(await desk.client.get(url(campaign, "export.xlsx"), headers=desk.one), 409, "export_too_large")
    fewer = await desk.client.get(url(campaign, "export.xlsx"), params={"category": ""}, headers=desk.one)
    assert fewer.status_code == 200
    answer = await desk.client.get(url(campaign, "export.csv"), headers=desk.one)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    cells = [cell for row in csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))) for cell in row]
    assert not [cell for cell in cells if evaluates(cell)]
    files = {"file": ("bank.csv", answer.content)}
    fresh = await publish_campaign(kit)
    moved = (await desk.client.post(url(fresh, "import"), files=files, headers=desk.one)).json()
    assert (moved["accepted"], moved["errors"]) == (5, [])
    ours, theirs = await listed(desk, campaign), await listed(desk, fresh)
    for item in ours + theirs:
        for name in ("question_id", "first_question_id", "created_at"):
            del item[name]
    assert ours == theirs
    lost = url(campaign, "export.csv").replace(campaign.slug, "no-such-campaign")
    refused(await desk.client.get(lost, headers=desk.one), 404, "not_found")


@pytest.mark.parametrize(("role", "status"), [(Role.AUDITOR, 200), (Role.INSTITUTION, 403), (None, 401)])
async def test_answers_are_seen_by_readers_and_changed_and_taken_away_by_writers_only(
    desk: Desk, kit: Kit, campaign: Published, role: Role | None, status: int
) -> None:
    [item] = await fill(desk, campaign, question(1))
    headers = {} if role is None else await signed_in_staff(kit, role, institution_id="i1")
    stranger = Desk(desk.client, headers, headers)
    for path in ("", "summary", f"{item['question_id']}/versions"):
        seen = await desk.client.get(url(campaign, path).rstrip("/"), headers=headers)
        assert seen.status_code == status
    denied = 401 if role is None else 403
    changed = [
        await edit(stranger, campaign, item["question_id"], question(2)),
        await tell(stranger, campaign, item["question_id"], "retire"),
        await tell(stranger, campaign, item["question_id"], "reactivate"),
        await desk.client.get(url(campaign, "export.xlsx"), headers=headers),
        await desk.client.get(url(campaign, "export.csv"), headers=headers),
    ]
    assert [answer.status_code for answer in changed] == [denied] * 5


async def test_changes_of_a_question_are_audited(desk: Desk, kit: Kit, campaign: Published) -> None:
    [item] = await fill(desk, campaign, question(1))
    await tell(desk, campaign, item["question_id"], "retire")
    await edit(desk, campaign, item["question_id"], question(1, text="换一种问法"))
    found = await rows(
        kit,
        "SELECT action, before, after FROM core.audit_entry WHERE object = :object ORDER BY seq",
        object=f"question:{item['question_id']}",
    )
    assert [row.action for row in found] == ["question.retire", "question.edit"]
    assert (found[0].before["state"], found[0].after["reason"]) == ("active", "内容过时")
    assert (found[1].before["version"], found[1].after["version"]) == (1, 2)
