"""The review queue: what waits, what is like it, who decided; and that nothing is decided twice."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.citizens import Person, new_person
from tests.support.desk import Desk
from tests.support.people import signed_in_staff
from tests.support.pictures import photo, scene
from tests.support.ways import (
    LEAD,
    SHARE,
    Partaker,
    count,
    faults,
    figures,
    made_event,
    open_ways,
    queue,
    refused,
    reviewed,
    rows,
)

pytestmark = pytest.mark.usefixtures("clock_returns")


@pytest.fixture(scope="module")
def settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("objects")
    return settings.model_copy(update={"objects_dir": folder})


@pytest.fixture
async def someone(client: httpx.AsyncClient, kit: Kit) -> Partaker:
    return Partaker(client, await new_person(kit))


async def one(desk: Desk, activity_id: str) -> dict[str, object]:
    answer = await desk.client.get(f"/issuance/v1/activities/{activity_id}", headers=desk.other)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


async def named(kit: Kit, person: Person, name_masked: str) -> None:
    async with kit.database.transaction() as tx:
        await tx.execute(
            text("UPDATE core.person SET name_masked = :name WHERE bucket = :bucket AND id = :id"),
            {"name": name_masked, "bucket": person.address.bucket, "id": person.address.uuid},
        )


class TestQueue:
    async def test_what_waits_is_listed_oldest_first_page_by_page(
        self, client: httpx.AsyncClient, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        sent = []
        for _ in range(5):
            clock.advance(seconds=1)
            sent.append(await Partaker(client, await new_person(kit)).send(campaign.slug, "lead", LEAD))
        found = await queue(desk, campaign=campaign.slug)
        assert [item["activity_id"] for item in found] == sent
        await reviewed(desk, sent[1])
        await reviewed(desk, sent[3])
        assert [
            item["activity_id"] for item in await queue(desk, campaign=campaign.slug, status="pending")
        ] == [
            sent[0],
            sent[2],
            sent[4],
        ]
        decided = await queue(desk, campaign=campaign.slug, status="accepted")
        assert [item["activity_id"] for item in decided] == [sent[3], sent[1]]

    async def test_it_can_be_narrowed_to_a_campaign_and_a_channel(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign, other = await open_ways(kit, clock), await open_ways(kit, clock)
        lead = await someone.send(campaign.slug, "lead", LEAD)
        share = await someone.send(campaign.slug, "share", SHARE)
        await someone.send(other.slug, "lead", LEAD)
        found = await queue(desk, campaign=campaign.slug)
        assert [item["activity_id"] for item in found] == [lead, share]
        [item] = await queue(desk, campaign=campaign.slug, channel="share")
        assert (item["activity_id"], item["evidence"]) == (share, SHARE)
        everything = {item["activity_id"] for item in await queue(desk)}
        assert {lead, share} < everything

    async def test_of_the_person_no_more_than_the_masked_name_is_shown(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        await named(kit, someone.person, "李**")
        await someone.send(campaign.slug, "lead", LEAD)
        answer = await desk.client.get(f"/issuance/v1/activities?campaign={campaign.slug}", headers=desk.one)
        [item] = answer.json()["items"]
        assert item["person"] == {"name_masked": "李**", "identity_verified": True}
        assert someone.person.address.uuid.hex not in answer.text.replace("-", "")
        assert item.keys() == {
            "activity_id",
            "campaign",
            "channel",
            "status",
            "submitted_at",
            "chances_granted",
            "person",
            "evidence",
            "photos",
            "duplicate_hints",
            "decision",
            "claim",
        }

    async def test_a_check_in_that_waits_names_its_event(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock, event={"review": True})
        made = await made_event(desk, clock, campaign.slug, name="周末清扫", place="南湖")
        await someone.check_in(campaign.slug, made["check_in_code"])
        [item] = await queue(desk, campaign=campaign.slug)
        assert item["evidence"] == {"event_id": made["event_id"], "event": "周末清扫", "place": "南湖"}

    async def test_only_staff_who_may_read_see_it(self, someone: Partaker, desk: Desk, kit: Kit) -> None:
        auditor = await signed_in_staff(kit, Role.AUDITOR)
        hospital = await signed_in_staff(kit, Role.HOSPITAL, hospital_id="h1")
        url = "/issuance/v1/activities"
        statuses = [
            (await desk.client.get(url, headers=headers)).status_code
            for headers in (auditor, hospital, someone.person.headers, {})
        ]
        assert statuses == [200, 403, 401, 401]
        for wrong in ("status=lost", "channel=quiz", "limit=201", "cursor=W10"):
            assert (await desk.client.get(f"{url}?{wrong}", headers=desk.one)).status_code == 422


class TestDecision:
    async def test_accepting_grants_what_the_channel_gives_now(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        lead = await someone.send(campaign.slug, "lead", LEAD)
        async with kit.database.transaction() as tx:
            await tx.execute(
                text("UPDATE issuance.channel SET chances = 5 WHERE campaign_id = :id AND key = 'lead'"),
                {"id": campaign.id},
            )
        # Also when the campaign is over meanwhile: what was sent in time is judged.
        clock.set(campaign.closes_at + timedelta(days=1))
        answer = await reviewed(desk, lead, note="城管局已到现场核实")
        assert answer.status_code == 200
        assert answer.json() == {"activity_id": lead, "status": "accepted", "chances_granted": 5}
        granted = await rows(
            kit,
            "SELECT channel, source_no, source_id, granted_at FROM issuance.chance"
            " WHERE person_id = :person ORDER BY source_no",
            person=someone.person.address.uuid,
        )
        assert [(row.channel, row.source_no) for row in granted] == [("lead", n) for n in range(1, 6)]
        assert {row.source_id.hex for row in granted} == {lead[2:]}
        assert {row.granted_at for row in granted} == {clock.now()}
        counted = (await figures(desk, campaign.slug))["lead"]
        assert counted == {"submitted": 1, "pending": 0, "accepted": 1, "rejected": 0, "chances": 5}

    async def test_rejecting_grants_nothing_and_says_why(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        lead = await someone.send(campaign.slug, "lead", LEAD)
        answer = await reviewed(desk, lead, "reject", note="地点不存在")
        assert answer.json() == {"activity_id": lead, "status": "rejected", "chances_granted": 0}
        assert await count(kit, "chance", campaign) == 0
        counted = (await figures(desk, campaign.slug))["lead"]
        assert (counted["pending"], counted["rejected"], counted["accepted"]) == (0, 1, 0)
        seen = await one(desk, lead)
        assert isinstance(seen["decision"], dict)
        assert (seen["status"], seen["decision"]["note"]) == ("rejected", "地点不存在")
        assert seen["decision"]["decided_by"].startswith("staff:")

    async def test_it_is_audited_with_who_and_why(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        lead = await someone.send(campaign.slug, "lead", LEAD)
        await reviewed(desk, lead)
        [entry] = await rows(
            kit,
            "SELECT actor, action, before, after FROM core.audit_entry WHERE object = :object",
            object=f"activity:{lead}",
        )
        assert entry.action == "activity.review"
        assert entry.before == {"status": "pending"}
        assert entry.after == {"status": "accepted", "note": "已核实", "chances_granted": 2}

    async def test_what_was_decided_is_decided(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        lead = await someone.send(campaign.slug, "lead", LEAD)
        assert (await reviewed(desk, lead, "reject", note="重复")).status_code == 200
        refused(await reviewed(desk, lead), 409, "already_decided")
        refused(await reviewed(desk, lead, "reject", note="x"), 409, "already_decided")
        event = await made_event(desk, clock, campaign.slug)
        at_once = (await someone.check_in(campaign.slug, event["check_in_code"])).json()["activity_id"]
        refused(await reviewed(desk, at_once), 409, "already_decided")
        assert await count(kit, "chance", campaign) == 1

    async def test_same_request_number_decides_once(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        lead = await someone.send(campaign.slug, "lead", LEAD)
        first = await reviewed(desk, lead, request_no="r-1")
        again = await reviewed(desk, lead, request_no="r-1")
        assert (first.status_code, again.status_code) == (200, 200)
        assert (again.json(), again.headers["Idempotent-Replay"]) == (first.json(), "true")
        assert await count(kit, "chance", campaign) == 2
        refused(await reviewed(desk, lead, "reject", note="x", request_no="r-1"), 409, "request_no_reused")

    async def test_a_rejection_needs_a_reason_and_an_acceptance_does_not(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        lead = await someone.send(campaign.slug, "lead", LEAD)
        url = f"/issuance/v1/activities/{lead}/review"
        for body in ({"decision": "reject"}, {"decision": "reject", "note": " "}):
            answer = await desk.client.post(url, json=body, headers=desk.one)
            assert faults(answer) == {("body.note", "note_required")}
        answer = await desk.client.post(url, json={"decision": "maybe", "note": "x"}, headers=desk.one)
        assert faults(answer) == {("body.decision", "literal_error")}
        answer = await desk.client.post(url, json={"decision": "accept"}, headers=desk.one)
        assert answer.status_code == 200

    async def test_unknown_activities_are_not_found_and_auditors_decide_nothing(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        for unknown in ("00" + "0" * 32, "x"):
            refused(await reviewed(desk, unknown), 404, "not_found")
            answer = await desk.client.get(f"/issuance/v1/activities/{unknown}", headers=desk.one)
            refused(answer, 404, "not_found")
        campaign = await open_ways(kit, clock)
        lead = await someone.send(campaign.slug, "lead", LEAD)
        body = {"decision": "accept", "note": "x"}
        url = f"/issuance/v1/activities/{lead}/review"
        auditor = await signed_in_staff(kit, Role.AUDITOR)
        refused(await desk.client.post(url, json=body, headers=auditor), 403, "forbidden")
        refused(
            await desk.client.post(url, json=body, headers=someone.person.headers), 401, "unauthenticated"
        )

    async def test_decisions_are_never_changed_afterwards(self, kit: Kit) -> None:
        for statement in (
            "UPDATE issuance.activity_decision SET note = 'x'",
            "DELETE FROM issuance.activity_decision",
        ):
            with pytest.raises(Exception, match="append-only"):
                async with kit.database.transaction() as tx:
                    await tx.execute(text(statement))


class TestDuplicateHints:
    async def hints(self, desk: Desk, activity_id: str) -> dict[str, dict[str, object]]:
        found = (await one(desk, activity_id))["duplicate_hints"]
        assert isinstance(found, list)
        return {hint["activity_id"]: hint for hint in found}

    async def test_the_same_thing_at_the_same_place_within_days_is_told(
        self, client: httpx.AsyncClient, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        people = [Partaker(client, await new_person(kit)) for _ in range(4)]
        first = await people[0].send(campaign.slug, "lead", LEAD)
        again = await people[1].send(
            campaign.slug,
            "lead",
            LEAD | {"place": LEAD["place"].replace(" ", ""), "description": "路边好脏，快来人管管吧"},
        )
        elsewhere = await people[2].send(
            campaign.slug, "lead", LEAD | {"place": "个旧市", "description": "公园里有人吸烟，劝阻无效"}
        )
        clock.advance(days=8)
        later = await people[3].send(campaign.slug, "lead", LEAD)
        assert (await self.hints(desk, elsewhere)) == {}
        assert (await self.hints(desk, later)) == {}
        [hint] = (await self.hints(desk, again)).values()
        assert (hint["activity_id"], hint["reasons"], hint["same_person"]) == (first, ["same_subject"], False)
        assert hint["status"] == "pending"
        assert set(await self.hints(desk, first)) == {again}

    async def test_a_reworded_report_is_told_with_how_alike_it_is(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        first = await someone.send(campaign.slug, "lead", LEAD)
        reworded = LEAD["description"].replace("长期", "一直").replace("很大", "难闻")
        again = await someone.send(
            campaign.slug, "lead", {"category": "其他", "place": "不知道", "description": reworded}
        )
        [hint] = (await self.hints(desk, again)).values()
        assert (hint["activity_id"], hint["reasons"], hint["same_person"]) == (first, ["near_text"], True)
        assert isinstance(hint["similarity"], int)
        assert 60 <= hint["similarity"] < 100

    async def test_the_same_photo_and_one_that_looks_like_it_are_told(
        self, client: httpx.AsyncClient, desk: Desk, kit: Kit, clock: ManualClock, tmp_path: Path
    ) -> None:
        campaign, other = await open_ways(kit, clock), await open_ways(kit, clock)
        scene(7).resize((800, 600)).save(tmp_path / "again.webp", quality=50)
        pictures = [photo(7), photo(7), (tmp_path / "again.webp").read_bytes(), photo(8)]
        leads = []
        for number, picture in enumerate(pictures):
            someone = Partaker(client, await new_person(kit))
            evidence = {
                "category": f"种类{number}",
                "place": f"{number} 号",
                "description": "①②③④"[number] * 9,
                "photos": [await someone.photo(picture)],
            }
            # The same picture for another campaign is worth knowing too.
            leads.append(await someone.send((campaign, other)[number == 1].slug, "lead", evidence))
        told = await self.hints(desk, leads[0])
        assert told[leads[1]]["reasons"] == ["same_photo"]
        assert told[leads[2]]["reasons"] == ["near_photo"]
        assert leads[3] not in told
        assert await self.hints(desk, leads[3]) == {}

    async def test_shares_of_one_address_are_told(
        self, client: httpx.AsyncClient, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        sent = [
            await Partaker(client, await new_person(kit)).send(
                campaign.slug, "share", {"url": SHARE["url"] + end, "text": words}
            )
            for end, words in (("", "今天天气不错"), ("#top", "爱国卫生运动真好"))
        ]
        [hint] = (await self.hints(desk, sent[1])).values()
        assert (hint["activity_id"], hint["reasons"]) == (sent[0], ["same_subject"])

    async def test_a_flood_of_the_same_is_told_by_a_few(
        self, client: httpx.AsyncClient, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        sent = []
        for _ in range(8):
            clock.advance(seconds=1)
            sent.append(await Partaker(client, await new_person(kit)).send(campaign.slug, "lead", LEAD))
        assert list(await self.hints(desk, sent[7])) == sent[:5]
