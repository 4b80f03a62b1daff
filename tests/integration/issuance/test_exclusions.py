"""Lists of staff and of blocked persons: who is on one takes no part, and is told whom to ask."""

import json
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from bench.simulator.persons import resident_id
from services.issuance.exclusions.operations import ROWS_AT_ONCE
from services.issuance.exclusions.tables import ExclusionRow
from services.issuance.wiring import Wiring, build
from services.issuance.worker import parts
from shared.clock import ManualClock, rfc3339
from shared.documents.sheets import read_rows
from shared.identity.persons import IDENTITY_DOMAIN
from shared.identity.staff import Role
from shared.identity.tables import PersonIdentityRow
from shared.integrity.operations import recompute
from shared.kit import Kit
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, Person, fill_bank, give_chances, new_person, right_answers
from tests.support.desk import Desk
from tests.support.drain import drain
from tests.support.people import signed_in_staff
from tests.support.ways import Partaker, made_event, refused, rows
from tests.support.workbooks import workbook

NOTE = "如有疑问，请致电 0873-1234567。"
HEADER = ["身份证号", "名单", "原因", "到期日", "申诉说明"]


@pytest.fixture
def wiring(kit: Kit) -> Wiring:
    return build(kit)


async def identified(kit: Kit, number: str) -> Person:
    """Somebody whose identity is this id number."""
    person = await new_person(kit)
    async with kit.database.transaction() as tx:
        await tx.execute(
            update(PersonIdentityRow)
            .where(PersonIdentityRow.person_id == person.address.uuid)
            .values(identity_hash=kit.keys.index.digest(IDENTITY_DOMAIN, number))
        )
    return person


def url(campaign: Published, rest: str = "") -> str:
    return f"/issuance/v1/campaigns/{campaign.slug}/exclusions{rest}"


async def exclude(desk: Desk, campaign: Published, **parts: object) -> httpx.Response:
    body = {"list": "blocked", "reason": "多次冒用他人身份", "appeal_note": NOTE} | parts
    return await desk.client.post(url(campaign), json=body, headers=desk.one)


async def upload(desk: Desk, campaign: Published, content: bytes, *, dry_run: bool = False) -> httpx.Response:
    return await desk.client.post(
        url(campaign, f"/import?dry_run={str(dry_run).lower()}"),
        files={"file": ("list.xlsx", content)},
        headers=desk.one,
    )


async def test_excluded_person_neither_starts_nor_takes_part_nor_draws(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_campaign(kit, clock, odds="1")
    await fill_bank(kit, campaign)
    event = await made_event(desk, clock, campaign.slug)
    number = resident_id(1)
    person = await identified(kit, number)
    hands = Hands(client, person)
    await give_chances(kit, person, campaign, 2)
    attempt = (await hands.start(campaign.slug)).json()
    award = await hands.win(campaign.slug)

    made = await exclude(desk, campaign, id_number=number)
    assert made.status_code == 201, made.text
    assert (made.json()["in_force"], made.json()["id_number_masked"]) == (
        True,
        f"{number[:3]}***********{number[-4:]}",
    )
    assert number not in made.text

    for answer in (
        await hands.start(campaign.slug),
        await hands.draw(campaign.slug),
        await Partaker(client, person).check_in(campaign.slug, event["check_in_code"]),
    ):
        refused(answer, 403, "participation_excluded")
        assert answer.json()["detail"] == f"您不能参加本次活动。{NOTE}"
        assert "冒用" not in answer.text
        assert "blocked" not in answer.text
    # What was begun or won before stays.
    assert (await hands.submit(attempt["attempt_id"], right_answers(attempt))).status_code == 200
    assert (await hands.claim(award, "fitness")).status_code == 201
    # Others are not touched, and neither are the chances of who was refused.
    other = Hands(client, await new_person(kit))
    assert (await other.start(campaign.slug)).status_code == 201
    assert (await hands.get(f"/me/chances?campaign={campaign.slug}")).json()["available"] == 2
    assert (await recompute(kit)).ok


async def test_entry_of_a_person_ends_with_its_time_or_when_it_is_lifted(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_campaign(kit, clock, odds="1")
    await fill_bank(kit, campaign)
    person = await new_person(kit, verified=False)
    hands, address = Hands(client, person), str(person.address)
    ends = rfc3339(clock.now() + timedelta(hours=1))
    first = await exclude(desk, campaign, person_id=address, list="staff", expires_at=ends)
    assert (first.status_code, first.json()["person_id"]) == (201, address)
    refused(await exclude(desk, campaign, person_id=address, list="staff"), 409, "already_excluded")
    refused(await hands.start(campaign.slug), 403, "participation_excluded")
    clock.advance(hours=1)
    assert (await hands.start(campaign.slug)).status_code == 201
    # An entry that is over makes room for another one, which lasts until it is lifted.
    again = await exclude(desk, campaign, person_id=address, list="staff")
    assert again.status_code == 201, again.text
    refused(await hands.start(campaign.slug), 403, "participation_excluded")
    lifting = url(campaign, f"/{again.json()['id']}/lift")
    lifted = await client.post(lifting, json={"reason": "已离职"}, headers=desk.other)
    assert (lifted.status_code, lifted.json()["lift_reason"], lifted.json()["in_force"]) == (
        200,
        "已离职",
        False,
    )
    refused(
        await client.post(lifting, json={"reason": "再次"}, headers=desk.other),
        409,
        "exclusion_already_lifted",
    )
    assert (await hands.start(campaign.slug)).status_code == 201
    listed = await client.get(url(campaign, "?status=all&limit=1"), headers=desk.one)
    assert [item["id"] for item in listed.json()["items"]] == [again.json()["id"]]
    rest = await client.get(
        url(campaign, f"?status=ended&cursor={listed.json()['next_cursor']}"), headers=desk.one
    )
    assert [item["id"] for item in rest.json()["items"]] == [first.json()["id"]]
    assert (await client.get(url(campaign), headers=desk.one)).json() == {"items": [], "next_cursor": None}


async def test_only_operators_write_lists_and_each_change_is_audited(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_campaign(kit, clock)
    number = resident_id(2)
    auditor = await signed_in_staff(kit, Role.AUDITOR)
    body = {"list": "staff", "reason": "工作人员", "id_number": number}
    refused(await client.post(url(campaign), json=body, headers=auditor), 403, "forbidden")
    refused(await client.post(url(campaign), json=body), 401, "unauthenticated")
    assert (await client.get(url(campaign), headers=auditor)).status_code == 200
    first = await client.post(url(campaign), json=body | {"request_no": "x1"}, headers=desk.one)
    again = await client.post(url(campaign), json=body | {"request_no": "x1"}, headers=desk.one)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json(), again.headers["Idempotent-Replay"]) == (first.json(), "true")
    entries = await rows(kit, "SELECT action, after FROM core.audit_entry WHERE action LIKE 'exclusion%'")
    told = [entry.after for entry in entries if entry.after["exclusion_id"] == first.json()["id"]]
    assert len(told) == 1
    assert number not in json.dumps(told)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "subject"),
        ({"id_number": resident_id(3), "person_id": "x"}, "subject"),
        ({"person_id": "00" + "0" * 32}, "person_unknown"),
        ({"person_id": "nobody"}, "person_unknown"),
        ({"id_number": resident_id(3), "expires_at": "2020-01-01T00:00:00+08:00"}, "expires_in_the_past"),
        ({"id_number": resident_id(3), "list": "vip"}, "literal_error"),
    ],
)
async def test_entry_that_names_nobody_or_is_over_is_refused(
    body: dict[str, object], code: str, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_campaign(kit, clock)
    answer = await exclude(desk, campaign, **body)
    refused(answer, 422, "invalid_request")
    assert answer.json()["errors"][0]["code"] == code


async def test_wrong_id_number_is_named(kit: Kit, clock: ManualClock, desk: Desk) -> None:
    campaign = await open_campaign(kit, clock)
    answer = await exclude(desk, campaign, id_number="532501199001010010")
    refused(answer, 422, "id_number_invalid")


async def test_file_lists_people_updates_them_and_is_recognised(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_campaign(kit, clock)
    await fill_bank(kit, campaign)
    numbers = [resident_id(serial) for serial in range(10, 14)]
    person = await identified(kit, numbers[0])
    content = workbook(
        [
            HEADER,
            [numbers[0], "工作人员", "主办单位职工", "2099-12-31", NOTE],
            [numbers[1], "黑名单", "倒卖消费券", "", ""],
            [numbers[1], "黑名单", "倒卖消费券", "", ""],
            ["532501199001010010", "黑名单", "", "昨天", ""],
            [numbers[2], "贵宾", "x", "2001-01-01", ""],
            ["【示例】1", "工作人员", "示例", "", ""],
        ]
    )
    tried = (await upload(desk, campaign, content, dry_run=True)).json()
    assert (await client.get(url(campaign), headers=desk.one)).json()["items"] == []
    assert (await Hands(client, person).start(campaign.slug)).status_code == 201
    done = (await upload(desk, campaign, content)).json()
    assert tried == done | {"dry_run": True}
    assert {key: done[key] for key in ("rows", "accepted", "rejected", "duplicates", "updated")} == {
        "rows": 5,
        "accepted": 2,
        "rejected": 2,
        "duplicates": 1,
        "updated": 0,
    }
    assert [(fault["row"], fault["column"]) for fault in done["errors"]] == [
        (5, "身份证号"),
        (5, "原因"),
        (5, "到期日"),
        (6, "名单"),
        (6, "到期日"),
    ]
    answer = await Hands(client, person).start(campaign.slug)
    refused(answer, 403, "participation_excluded")
    assert answer.json()["detail"].endswith(NOTE)
    again = (await upload(desk, campaign, content)).json()
    assert (again["already_imported"], again["accepted"], again["duplicates"]) == (True, 0, 3)
    changed = "身份证号,名单,原因\n".encode() + f"{numbers[1]},blocked,另一个原因\n".encode()
    told = (await upload(desk, campaign, changed)).json()
    assert (told["accepted"], told["updated"], told["already_imported"]) == (1, 1, False)
    items = (await client.get(url(campaign), headers=desk.one)).json()["items"]
    assert sorted(item["reason"] for item in items) == ["主办单位职工", "另一个原因"]


async def test_template_is_what_the_import_understands(kit: Kit, clock: ManualClock, desk: Desk) -> None:
    campaign = await open_campaign(kit, clock)
    template = await desk.client.get(url(campaign, "/template.xlsx"), headers=desk.one)
    assert read_rows(template.content)[0].cells[:2] == ("身份证号*", "名单*")
    report = (await upload(desk, campaign, template.content)).json()
    assert (report["rows"], report["errors"]) == (0, [])


async def test_long_file_is_a_job_that_counts_once_also_when_begun_again(
    kit: Kit, clock: ManualClock, desk: Desk, wiring: Wiring
) -> None:
    campaign = await open_campaign(kit, clock)
    count = ROWS_AT_ONCE + 600
    lines = ["身份证号,名单,原因", *(f"{resident_id(100 + n)},staff,职工" for n in range(count))]
    asked = await upload(desk, campaign, "\n".join(lines).encode())
    assert asked.status_code == 202, asked.text
    job_id = asked.json()["job_id"]
    job = await wiring.awaited.view(UUID(job_id))
    assert resident_id(100) not in json.dumps(job.arguments)
    # A worker took in a part and died: whoever comes next counts the file as one.
    before = await wiring.exclusions.import_uploaded(job, _Quiet())  # type: ignore[arg-type]
    await drain(kit, parts(wiring))
    shown = (await desk.client.get(f"/issuance/v1/jobs/{job_id}", headers=desk.one)).json()
    assert shown["state"] == "succeeded", shown
    assert shown["result"]["accepted"] == before["accepted"] == count
    [[listed]] = await rows(
        kit, "SELECT count(*) FROM issuance.exclusion WHERE campaign_id = :id", id=campaign.id
    )
    assert listed == count
    address = job.arguments["address"]
    assert await wiring.exclusions.objects.get(address) is not None
    await wiring.exclusions.forget_uploads()
    assert await wiring.exclusions.objects.get(address) is None


class _Quiet:
    async def report(self, done: int, total: int) -> None:
        """Nobody listens."""


async def test_entry_never_changes_what_it_says(kit: Kit, clock: ManualClock, desk: Desk) -> None:
    campaign = await open_campaign(kit, clock)
    await exclude(desk, campaign, id_number=resident_id(50))
    with pytest.raises(Exception, match="append-only"):
        async with kit.database.transaction() as tx:
            await tx.execute(update(ExclusionRow).values(reason="x"))
