"""Taking part by share, lead and check-in over HTTP, and everything that it says no to."""

import httpx
import pytest

from services.issuance.activities.errors import LimitReached
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from tests.support.campaigns import open_campaign, publish_campaign
from tests.support.citizens import new_person, request_no
from tests.support.desk import Desk
from tests.support.people import signed_in_staff
from tests.support.ways import (
    LEAD,
    SHARE,
    Partaker,
    count,
    faults,
    figures,
    made_event,
    open_ways,
    refused,
    reviewed,
    rows,
)

pytestmark = pytest.mark.usefixtures("clock_returns")


@pytest.fixture
async def someone(client: httpx.AsyncClient, kit: Kit) -> Partaker:
    return Partaker(client, await new_person(kit))


async def chances_of(someone: Partaker, slug: str) -> list[str]:
    answer = await someone.get(f"/me/chances?campaign={slug}")
    assert answer.status_code == 200, answer.text
    return [item["channel"] for item in answer.json()["items"]]


async def test_a_check_in_counts_at_once_and_earns_what_its_channel_gives(
    someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_ways(kit, clock)
    event = await made_event(desk, clock, campaign.slug)
    fitness = await made_event(desk, clock, campaign.slug, channel="fitness")

    answer = await someone.check_in(campaign.slug, event["check_in_code"])
    assert answer.status_code == 201
    body = answer.json()
    assert body.keys() == {"activity_id", "status", "chances_granted"}
    assert (body["status"], body["chances_granted"]) == ("accepted", 1)
    other = await someone.check_in(campaign.slug, fitness["check_in_code"], "fitness")
    assert (other.json()["status"], other.json()["chances_granted"]) == ("accepted", 3)
    assert sorted(await chances_of(someone, campaign.slug)) == ["event", "fitness", "fitness", "fitness"]
    counted = await figures(desk, campaign.slug)
    nothing = {"submitted": 0, "pending": 0, "accepted": 0, "rejected": 0, "chances": 0}
    assert counted["event"] == nothing | {"submitted": 1, "accepted": 1, "chances": 1}
    assert counted["fitness"] == nothing | {"submitted": 1, "accepted": 1, "chances": 3}
    assert counted["share"] == nothing


async def test_what_needs_a_review_waits_and_has_earned_nothing_yet(
    someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_ways(kit, clock)
    for channel, evidence in (("share", SHARE), ("lead", LEAD)):
        answer = await someone.take_part(campaign.slug, channel, evidence)
        assert answer.status_code == 201
        assert (answer.json()["status"], answer.json()["chances_granted"]) == ("pending", 0)
    assert await chances_of(someone, campaign.slug) == []
    counted = await figures(desk, campaign.slug)
    assert (counted["lead"]["pending"], counted["lead"]["chances"]) == (1, 0)


async def test_review_is_what_the_definition_says_of_the_channel(
    someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_ways(kit, clock, share={"review": False}, event={"review": True})
    shared = await someone.take_part(campaign.slug, "share", SHARE)
    assert shared.json()["status"] == "accepted"
    event = await made_event(desk, clock, campaign.slug)
    came = await someone.check_in(campaign.slug, event["check_in_code"])
    assert (came.json()["status"], came.json()["chances_granted"]) == ("pending", 0)
    assert (await reviewed(desk, came.json()["activity_id"])).json()["chances_granted"] == 1
    assert sorted(await chances_of(someone, campaign.slug)) == ["event", "share"]


async def test_evidence_is_sealed_and_people_cannot_be_read_from_the_table(
    someone: Partaker, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_ways(kit, clock)
    await someone.send(campaign.slug, "lead", LEAD)
    [row] = await rows(kit, "SELECT a::text FROM issuance.activity a WHERE campaign_id = :id", id=campaign.id)
    for part in LEAD.values():
        assert part not in row[0]
        assert part.encode().hex() not in row[0]


async def test_identity_is_not_needed_to_take_part(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_ways(kit, clock)
    stranger = Partaker(client, await new_person(kit, verified=False))
    assert (await stranger.take_part(campaign.slug, "share", SHARE)).status_code == 201


class TestRepetition:
    async def test_same_number_answers_the_same_and_does_it_once(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        event = await made_event(desk, clock, campaign.slug, capacity=5)
        number = request_no()
        first = await someone.check_in(campaign.slug, event["check_in_code"], number=number)
        again = await someone.check_in(campaign.slug, event["check_in_code"], number=number)
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.headers["Idempotent-Replay"] == "true"
        assert "Idempotent-Replay" not in first.headers
        assert again.json() == first.json()
        assert (await count(kit, "activity", campaign), await count(kit, "chance", campaign)) == (1, 1)

    async def test_answer_stays_the_first_one_after_the_review(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        number = request_no()
        first = await someone.take_part(campaign.slug, "lead", LEAD, number)
        await reviewed(desk, first.json()["activity_id"])
        clock.set(campaign.closes_at)
        again = await someone.take_part(campaign.slug, "lead", LEAD, number)
        assert (again.status_code, again.json()) == (200, first.json())

    async def test_same_number_for_something_else_is_refused(
        self, someone: Partaker, kit: Kit, clock: ManualClock
    ) -> None:
        campaign, other = await open_ways(kit, clock), await open_ways(kit, clock)
        number = request_no()
        assert (await someone.take_part(campaign.slug, "share", SHARE, number)).status_code == 201
        for slug, channel, evidence in (
            (campaign.slug, "share", SHARE | {"text": "另一条"}),
            (campaign.slug, "lead", LEAD),
            (other.slug, "share", SHARE),
        ):
            refused(await someone.take_part(slug, channel, evidence, number), 409, "request_no_reused")

    async def test_a_refused_request_leaves_nothing_and_its_number_can_be_used(
        self, someone: Partaker, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        number = request_no()
        refused(
            await someone.check_in(campaign.slug, "NOSUCHCODE", number=number), 404, "check_in_code_unknown"
        )
        assert (await someone.take_part(campaign.slug, "share", SHARE, number)).status_code == 201
        assert await count(kit, "activity", campaign) == 1


class TestRefusals:
    """In their order of precedence."""

    async def test_nobody_takes_part_without_signing_in(
        self, client: httpx.AsyncClient, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        url = f"/issuance/v1/campaigns/{campaign.slug}/activities"
        body = {"request_no": "1", "channel": "share", "evidence": SHARE}
        refused(await client.post(url, json=body), 401, "unauthenticated")
        refused(await client.post(url, json=body, headers=desk.one), 401, "unauthenticated")

    async def test_every_fault_of_the_evidence_is_named_at_once(
        self, someone: Partaker, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        answer = await someone.take_part(
            campaign.slug,
            "lead",
            {"category": " ", "description": 7, "url": "x", "photos": ["a", "a"]},
            number="not a number!",
        )
        assert faults(answer) == {
            ("body.request_no", "string_pattern_mismatch"),
            ("body.evidence.category", "string_too_short"),
            ("body.evidence.place", "missing"),
            ("body.evidence.description", "string_type"),
            ("body.evidence.photos", "photo_twice"),
            ("body.evidence.url", "extra_forbidden"),
        }

    @pytest.mark.parametrize(
        ("channel", "evidence", "fault"),
        [
            ("share", {"url": "javascript:alert(1)", "text": "x"}, ("body.evidence.url", "url_form")),
            ("share", {"url": "https://x.cn"}, ("body.evidence.text", "missing")),
            (
                "share",
                {"url": "https://x.cn/" + "y" * 2000, "text": "x"},
                ("body.evidence.url", "string_too_long"),
            ),
            ("event", SHARE, ("body.evidence.check_in_code", "missing")),
            ("fitness", {"check_in_code": 12}, ("body.evidence.check_in_code", "string_type")),
            ("lead", "rubbish", ("body.evidence", "model_type")),
            ("lead", LEAD | {"photos": ["x"] * 7}, ("body.evidence.photos", "too_long")),
            ("quiz", {}, ("body.channel", "channel_unknown")),
            ("dance", {}, ("body.channel", "literal_error")),
            (None, {}, ("body.channel", "literal_error")),
        ],
    )
    async def test_wrong_shapes_are_named(
        self,
        someone: Partaker,
        channel: str,
        evidence: object,
        fault: tuple[str, str],
    ) -> None:
        # Looked at before the campaign is: there is none of this name.
        assert fault in faults(await someone.take_part("nowhere", channel, evidence))

    async def test_unknown_campaign_is_not_found(self, someone: Partaker) -> None:
        refused(await someone.take_part("nowhere", "share", SHARE), 404, "not_found")

    async def test_nobody_takes_part_while_no_phase_is_open(
        self, someone: Partaker, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await publish_campaign(kit)
        refused(
            await someone.take_part(campaign.slug, "event", {"check_in_code": "x"}), 409, "phase_not_open"
        )
        clock.set(campaign.closes_at)
        refused(
            await someone.take_part(campaign.slug, "event", {"check_in_code": "x"}), 409, "phase_not_open"
        )

    async def test_a_paused_campaign_takes_nothing(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        url = f"/issuance/v1/campaigns/{campaign.slug}"
        await desk.client.post(f"{url}/pause", json={"reason": "核查"}, headers=desk.one)
        refused(await someone.take_part(campaign.slug, "share", SHARE), 409, "campaign_paused")
        await desk.client.post(f"{url}/resume", json={"reason": "核查完毕"}, headers=desk.one)
        assert (await someone.take_part(campaign.slug, "share", SHARE)).status_code == 201

    async def test_a_way_that_the_campaign_does_not_have_is_named(
        self, someone: Partaker, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_campaign(kit, clock)
        answer = await someone.take_part(campaign.slug, "lead", LEAD)
        assert faults(answer) == {("body.channel", "channel_not_offered")}

    async def test_a_day_has_so_many_of_each_way_and_not_of_another(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        codes = [(await made_event(desk, clock, campaign.slug))["check_in_code"] for _ in range(2)]
        assert (await someone.check_in(campaign.slug, codes[0])).status_code == 201
        refused(await someone.check_in(campaign.slug, codes[1]), 409, LimitReached.code)
        for number in range(3):
            await someone.send(campaign.slug, "lead", LEAD | {"place": f"{number} 号"})
        refused(await someone.take_part(campaign.slug, "lead", LEAD), 409, "limit_reached")

    async def test_the_limit_is_the_persons_and_ends_at_local_midnight(
        self, someone: Partaker, client: httpx.AsyncClient, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        # 23:59:59 in the campaign's time zone; a UTC day would have changed eight hours later.
        clock.set(campaign.opens_at.replace(hour=15, minute=59, second=59))
        await someone.send(campaign.slug, "share", SHARE)
        refused(await someone.take_part(campaign.slug, "share", SHARE), 409, "limit_reached")
        neighbour = Partaker(client, await new_person(kit))
        await neighbour.send(campaign.slug, "share", SHARE)
        clock.advance(seconds=1)
        await someone.send(campaign.slug, "share", SHARE)

    async def test_what_was_rejected_counts_for_its_day(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        sent = await someone.send(campaign.slug, "share", SHARE)
        assert (await reviewed(desk, sent, "reject", note="链接打不开")).status_code == 200
        refused(await someone.take_part(campaign.slug, "share", SHARE), 409, "limit_reached")

    async def test_a_way_without_a_limit_has_none(
        self, someone: Partaker, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock, share={"per_day": None})
        for _ in range(5):
            await someone.send(campaign.slug, "share", SHARE)


class TestOwnList:
    async def test_it_shows_what_became_of_each_newest_first(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign, other = await open_ways(kit, clock), await open_ways(kit, clock)
        sent = []
        for place in range(3):
            clock.advance(minutes=1)
            sent.append(await someone.send(campaign.slug, "lead", LEAD | {"place": f"{place} 号"}))
        await someone.send(other.slug, "share", SHARE)
        await reviewed(desk, sent[0], "reject", note="照片与描述不符")
        await reviewed(desk, sent[1], note="内部备注")

        url = f"/me/activities?campaign={campaign.slug}&limit=2"
        first = (await someone.get(url)).json()
        last = (await someone.get(f"{url}&cursor={first['next_cursor']}")).json()
        assert last["next_cursor"] is None
        seen = first["items"] + last["items"]
        assert [(item["activity_id"], item["status"]) for item in seen] == [
            (sent[2], "pending"),
            (sent[1], "accepted"),
            (sent[0], "rejected"),
        ]
        assert [item["note"] for item in seen] == [None, None, "照片与描述不符"]
        assert [item["chances_granted"] for item in seen] == [0, 2, 0]
        everywhere = (await someone.get("/me/activities")).json()["items"]
        assert {item["campaign"] for item in everywhere} == {campaign.slug, other.slug}

    async def test_it_is_the_persons_own(
        self, someone: Partaker, client: httpx.AsyncClient, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        await someone.send(campaign.slug, "share", SHARE)
        neighbour = Partaker(client, await new_person(kit))
        assert (await neighbour.get("/me/activities")).json()["items"] == []
        assert (await client.get("/issuance/v1/me/activities")).status_code == 401
        assert (await someone.get("/me/activities?cursor=W10")).status_code == 422


class TestFigures:
    async def test_each_day_and_way_has_its_own_line(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        lead = await someone.send(campaign.slug, "lead", LEAD)
        shared = await someone.send(campaign.slug, "share", SHARE)
        clock.advance(days=1)
        await someone.send(campaign.slug, "lead", LEAD)
        await reviewed(desk, lead)
        await reviewed(desk, shared, "reject", note="无法核实")

        url = f"/issuance/v1/campaigns/{campaign.slug}/activities/figures"
        answer = (await desk.client.get(url, headers=desk.one)).json()
        lines = {
            (line["date"], line["channel"]): (
                line["pending"],
                line["accepted"],
                line["rejected"],
                line["chances"],
            )
            for line in answer["daily"]
        }
        assert lines["2020-10-31", "lead"] == (0, 1, 0, 0)
        # The review was a day later, and so were its chances.
        assert lines["2020-11-01", "lead"] == (1, 0, 0, 2)
        assert lines["2020-10-31", "share"] == (0, 0, 1, 0)
        assert lines["2020-11-01", "event"] == (0, 0, 0, 0)
        assert len(lines) == 8

    async def test_only_staff_who_may_read_see_them(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        url = f"/issuance/v1/campaigns/{campaign.slug}/activities/figures"
        auditor = await signed_in_staff(kit, Role.AUDITOR)
        institution = await signed_in_staff(kit, Role.INSTITUTION, institution_id="i1")
        statuses = [
            (await desk.client.get(url, headers=headers)).status_code
            for headers in (auditor, institution, someone.person.headers, {})
        ]
        assert statuses == [200, 403, 401, 401]
        missing = await desk.client.get("/issuance/v1/campaigns/nowhere/activities/figures", headers=desk.one)
        refused(missing, 404, "not_found")
