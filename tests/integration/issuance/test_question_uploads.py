"""Long files of questions: a job takes them in, whole or not at all, and tells how far it is."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.issuance.questions import operations, store
from services.issuance.wiring import Wiring, build
from services.issuance.worker import parts
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.jobs.awaited import Progress
from shared.kit import Kit, build_kit
from shared.settings import Settings
from tests.support.campaigns import Published, publish_campaign
from tests.support.desk import Desk
from tests.support.drain import drain
from tests.support.people import staff_member
from tests.support.ways import refused, rows

HEADER = "题目,选项A,选项B,答案,解析,难度,类别\n"


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("objects")


@pytest.fixture(scope="module")
def settings(settings: Settings, objects: Path) -> Settings:
    return settings.model_copy(update={"objects_dir": objects})


@pytest.fixture(scope="module")
async def wiring(settings: Settings, clock: ManualClock) -> AsyncIterator[Wiring]:
    """The worker's side, with connections of its own."""
    kit = build_kit(settings, clock=clock)
    await kit.database.start()
    yield build(kit)
    await kit.database.stop()


@pytest.fixture
async def campaign(kit: Kit) -> Published:
    return await publish_campaign(kit)


def table(count: int, *, first: int = 1) -> bytes:
    lines = (f"第 {number} 题？,是,否,A,解析,{number % 3 + 1},甲" for number in range(first, first + count))
    return (HEADER + "\n".join(lines) + "\n").encode()


async def upload(desk: Desk, campaign: Published, content: bytes, query: str = "background=true") -> Any:  # noqa: ANN401 - an answer
    url = f"/issuance/v1/campaigns/{campaign.slug}/questions/import?{query}"
    return await desk.client.post(url, files={"file": ("q.csv", content)}, headers=desk.one)


async def job(desk: Desk, job_id: str) -> dict[str, Any]:
    answer = await desk.client.get(f"/issuance/v1/jobs/{job_id}", headers=desk.other)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def asked_for(desk: Desk, campaign: Published, content: bytes, query: str = "background=true") -> str:
    answer = await upload(desk, campaign, content, query)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


async def count(kit: Kit, campaign: Published) -> int:
    [row] = await rows(kit, "SELECT count(*) FROM issuance.question WHERE campaign_id = :id", id=campaign.id)
    return int(row[0])


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


async def test_a_file_in_the_background_is_taken_in_by_a_job_and_reported(
    desk: Desk, kit: Kit, wiring: Wiring, campaign: Published
) -> None:
    content = table(30) + "坏题,是,,A,,9,\n第 1 题？,是,否,A,解析,2,甲\n".encode()
    job_id = await asked_for(desk, campaign, content)
    waiting = await job(desk, job_id)
    assert (waiting["state"], waiting["progress"], await count(kit, campaign)) == ("queued", 0, 0)
    await drain(kit, parts(wiring))
    done = await job(desk, job_id)
    assert (done["state"], done["progress"], done["error"]) == ("succeeded", 100, None)
    report = done["result"]
    assert (report["rows"], report["accepted"], report["rejected"], report["duplicates"]) == (32, 30, 1, 1)
    assert {fault["row"] for fault in report["errors"]} == {32}
    assert await count(kit, campaign) == 30
    [entry] = await rows(
        kit,
        "SELECT actor, after FROM core.audit_entry WHERE object = :object AND action = 'questions.import'",
        object=f"campaign:{campaign.slug}",
    )
    assert entry.actor.startswith("staff:")
    assert entry.after["accepted"] == 30


async def test_a_long_file_goes_to_a_job_by_itself(
    desk: Desk, kit: Kit, wiring: Wiring, campaign: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "ROWS_AT_ONCE", 20)
    assert (await upload(desk, campaign, table(20), "dry_run=false")).status_code == 200
    job_id = await asked_for(desk, campaign, table(21), "dry_run=false")
    await drain(kit, parts(wiring))
    report = (await job(desk, job_id))["result"]
    assert (report["accepted"], report["duplicates"]) == (1, 20)


async def test_a_dry_run_in_the_background_changes_nothing(
    desk: Desk, kit: Kit, wiring: Wiring, campaign: Published
) -> None:
    job_id = await asked_for(desk, campaign, table(3), "background=true&dry_run=true")
    await drain(kit, parts(wiring))
    report = (await job(desk, job_id))["result"]
    assert (report["accepted"], report["dry_run"], await count(kit, campaign)) == (3, True, 0)


async def test_the_same_file_again_is_recognised_by_whichever_way_it_comes(
    desk: Desk, kit: Kit, wiring: Wiring, campaign: Published
) -> None:
    first = await asked_for(desk, campaign, table(5))
    second = await asked_for(desk, campaign, table(5))
    await drain(kit, parts(wiring))
    reports = [(await job(desk, job_id))["result"] for job_id in (first, second)]
    assert sorted((report["already_imported"], report["accepted"]) for report in reports) == [
        (False, 5),
        (True, 0),
    ]
    assert (await upload(desk, campaign, table(5), "")).json()["already_imported"] is True


async def test_an_upload_lies_sealed_and_is_forgotten_when_its_job_has_ended(
    desk: Desk, kit: Kit, wiring: Wiring, campaign: Published, objects: Path
) -> None:
    before = files_in(objects)
    await asked_for(desk, campaign, table(4, first=1000))
    [file] = files_in(objects) - before
    assert "第 1000 题".encode() not in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    await wiring.questions.forget_uploads()
    assert file.exists()
    await drain(kit, parts(wiring))
    for _ in range(2):
        await wiring.questions.forget_uploads()
    assert not file.exists()


async def test_work_that_is_done_twice_adds_once(
    desk: Desk, kit: Kit, wiring: Wiring, campaign: Published
) -> None:
    job_id = await asked_for(desk, campaign, table(6))
    found = await wiring.awaited.view(UUID(job_id))
    first = await wiring.questions.import_uploaded(found, Progress(kit, found.id))
    again = await wiring.questions.import_uploaded(found, Progress(kit, found.id))
    assert (first["accepted"], again["accepted"], again["duplicates"]) == (6, 0, 6)
    assert await count(kit, campaign) == 6


async def test_progress_is_told_from_the_first_row_to_the_last(
    kit: Kit, wiring: Wiring, campaign: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = await staff_member(kit, Role.OPERATOR)
    monkeypatch.setattr(operations, "_JUDGED_AT_ONCE", 10)
    monkeypatch.setattr(store, "AT_ONCE", 10)
    told: list[float] = []

    async def tell(done: int, total: int) -> None:
        told.append(done / total)

    doing = operations._Upload(campaign.slug, clerk.id, b"f" * 32, dry_run=False)
    await wiring.questions._import(doing, table(40), tell)
    assert told == [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0]


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "file_empty"), ("题目\n一\n".encode(), "column_missing")]
)
async def test_a_file_that_is_no_table_is_refused_before_a_job_is_asked_for(
    desk: Desk, campaign: Published, content: bytes, code: str
) -> None:
    answer = await upload(desk, campaign, content)
    refused(answer, 422, "invalid_request")
    assert answer.json()["errors"][0]["code"] == code


async def test_an_unknown_campaign_has_no_job(desk: Desk) -> None:
    url = "/issuance/v1/campaigns/nowhere/questions/import?background=true"
    answer = await desk.client.post(url, files={"file": ("q.csv", table(2))}, headers=desk.one)
    refused(answer, 404, "not_found")
