"""Events that staff set up, their codes, and checking in at them."""

import re
from datetime import timedelta

import httpx
import pytest

from shared.clock import ManualClock, rfc3339
from shared.identity.staff import Role
from shared.kit import Kit
from tests.support.campaigns import open_campaign
from tests.support.citizens import new_person
from tests.support.desk import Desk
from tests.support.people import signed_in_staff
from tests.support.ways import Partaker, count, faults, made_event, open_ways, refused, rows

pytestmark = pytest.mark.usefixtures("clock_returns")


@pytest.fixture
async def someone(client: httpx.AsyncClient, kit: Kit) -> Partaker:
    return Partaker(client, await new_person(kit))


async def detail(desk: Desk, event_id: str) -> httpx.Response:
    return await desk.client.get(f"/issuance/v1/events/{event_id}", headers=desk.other)


class TestMaking:
    async def test_an_event_has_a_code_that_only_staff_are_told(
        self, client: httpx.AsyncClient, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        made = await made_event(desk, clock, campaign.slug, name="周末清扫", place="南湖")
        assert made.keys() == {"event_id", "check_in_code"}
        [row] = await rows(
            kit, "SELECT e::text FROM issuance.event e WHERE campaign_id = :id", id=campaign.id
        )
        assert made["check_in_code"] not in row[0]

        listed = await client.get(f"/issuance/v1/campaigns/{campaign.slug}/events")
        assert listed.status_code == 200
        assert made["check_in_code"] not in listed.text
        [seen] = listed.json()["items"]
        assert (seen["event_id"], seen["name"], seen["place"]) == (made["event_id"], "周末清扫", "南湖")
        assert (seen["state"], seen["places_left"], seen["channel"]) == ("open", None, "event")

        told = (await detail(desk, made["event_id"])).json()
        assert (told["check_in_code"], told["code_expires_at"]) == (made["check_in_code"], None)
        assert (await client.get(f"/issuance/v1/events/{made['event_id']}")).status_code == 401

    async def test_it_is_audited_without_its_code(self, desk: Desk, kit: Kit, clock: ManualClock) -> None:
        campaign = await open_ways(kit, clock)
        made = await made_event(desk, clock, campaign.slug)
        [entry] = await rows(
            kit,
            "SELECT action, after::text FROM core.audit_entry WHERE object = :object",
            object=f"event:{made['event_id']}",
        )
        assert entry.action == "event.create"
        assert made["check_in_code"] not in entry[1]

    async def test_same_request_number_makes_one_event(
        self, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        body = {
            "request_no": "event-1",
            "name": "健步走",
            "channel": "fitness",
            "place": "南湖",
            "starts_at": rfc3339(clock.now()),
            "ends_at": rfc3339(clock.now() + timedelta(hours=1)),
        }
        url = f"/issuance/v1/campaigns/{campaign.slug}/events"
        first = await desk.client.post(url, json=body, headers=desk.one)
        again = await desk.client.post(url, json=body, headers=desk.one)
        assert (first.status_code, again.status_code) == (201, 200)
        assert (again.json(), again.headers["Idempotent-Replay"]) == (first.json(), "true")
        assert await count(kit, "event", campaign) == 1
        other = await desk.client.post(url, json=body | {"place": "北湖"}, headers=desk.one)
        refused(other, 409, "request_no_reused")

    async def test_faults_are_named_and_only_operators_and_admins_make_events(
        self, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        url = f"/issuance/v1/campaigns/{campaign.slug}/events"
        now = rfc3339(clock.now())
        body = {"name": "x", "channel": "share", "starts_at": now, "ends_at": now, "capacity": 0}
        answer = await desk.client.post(url, json=body | {"rotate_seconds": 1}, headers=desk.one)
        assert faults(answer) == {
            ("body.channel", "literal_error"),
            ("body.place", "missing"),
            ("body.ends_at", "ends_before_start"),
            ("body.capacity", "greater_than_equal"),
            ("body.rotate_seconds", "greater_than_equal"),
        }
        for role, status in ((Role.AUDITOR, 403), (Role.HOSPITAL, 403)):
            headers = await signed_in_staff(kit, role, hospital_id="h1")
            assert (await desk.client.post(url, json=body, headers=headers)).status_code == status
        assert (await desk.client.post(url, json=body)).status_code == 401

    async def test_the_campaign_must_be_there_and_have_that_way(
        self, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_campaign(kit, clock)
        body = {
            "name": "健步走",
            "channel": "fitness",
            "place": "南湖",
            "starts_at": rfc3339(clock.now()),
            "ends_at": rfc3339(clock.now() + timedelta(hours=1)),
        }
        url = "/issuance/v1/campaigns/{}/events"
        answer = await desk.client.post(url.format(campaign.slug), json=body, headers=desk.one)
        assert faults(answer) == {("body.channel", "channel_not_offered")}
        refused(await desk.client.post(url.format("nowhere"), json=body, headers=desk.one), 404, "not_found")

    async def test_list_is_paged_those_that_begin_last_first(
        self, client: httpx.AsyncClient, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        made = [
            await made_event(
                desk,
                clock,
                campaign.slug,
                starts_at=rfc3339(clock.now() + timedelta(hours=hours)),
                ends_at=rfc3339(clock.now() + timedelta(hours=hours + 1)),
            )
            for hours in (1, 3, 2)
        ]
        url = f"/issuance/v1/campaigns/{campaign.slug}/events?limit=2"
        first = (await client.get(url)).json()
        last = (await client.get(f"{url}&cursor={first['next_cursor']}")).json()
        assert last["next_cursor"] is None
        assert [item["event_id"] for item in first["items"] + last["items"]] == [
            made[place]["event_id"] for place in (1, 2, 0)
        ]
        assert {item["state"] for item in first["items"]} == {"upcoming"}
        refused(await client.get("/issuance/v1/campaigns/nowhere/events"), 404, "not_found")


class TestCheckIn:
    async def test_the_code_is_good_as_typed_and_as_the_posters_link(
        self, client: httpx.AsyncClient, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        code = (await made_event(desk, clock, campaign.slug))["check_in_code"]
        for shown in (code, f" {code[:5].lower()}-{code[5:]} ", f"https://hv.test/app?check_in_code={code}"):
            someone = Partaker(client, await new_person(kit))
            assert (await someone.check_in(campaign.slug, shown)).status_code == 201

    async def test_a_code_of_another_campaign_or_channel_is_as_unknown_as_any(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign, other = await open_ways(kit, clock), await open_ways(kit, clock)
        elsewhere = (await made_event(desk, clock, other.slug))["check_in_code"]
        fitness = (await made_event(desk, clock, campaign.slug, channel="fitness"))["check_in_code"]
        for code in (elsewhere, fitness, "0000000000", "x", "签到码"):
            refused(await someone.check_in(campaign.slug, code), 404, "check_in_code_unknown")

    async def test_a_person_checks_in_once_at_an_event_also_on_another_day(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        code = (
            await made_event(desk, clock, campaign.slug, ends_at=rfc3339(clock.now() + timedelta(days=3)))
        )["check_in_code"]
        assert (await someone.check_in(campaign.slug, code)).status_code == 201
        refused(await someone.check_in(campaign.slug, code), 409, "already_checked_in")
        clock.advance(days=1)
        refused(await someone.check_in(campaign.slug, code), 409, "already_checked_in")
        clock.advance(days=3)
        # Still the answer that helps: the person was there, whatever the hour is now.
        refused(await someone.check_in(campaign.slug, code), 409, "already_checked_in")

    async def test_an_event_is_open_from_its_start_to_its_end(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        now = clock.now()
        code = (
            await made_event(
                desk,
                clock,
                campaign.slug,
                starts_at=rfc3339(now + timedelta(hours=1)),
                ends_at=rfc3339(now + timedelta(hours=2)),
            )
        )["check_in_code"]
        for moment, is_open in (
            (timedelta(minutes=59, seconds=59), False),
            (timedelta(hours=2), False),
            (timedelta(hours=1), True),
        ):
            clock.set(now + moment)
            answer = await someone.check_in(campaign.slug, code)
            if is_open:
                assert answer.status_code == 201
            else:
                refused(answer, 409, "event_not_open")

    async def test_staff_close_an_event_at_once_and_for_good(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        made = await made_event(desk, clock, campaign.slug)
        url = f"/issuance/v1/events/{made['event_id']}/close"
        for _ in range(2):
            answer = await desk.client.post(url, json={"reason": "签到码外泄"}, headers=desk.one)
            assert (answer.status_code, answer.json()["state"]) == (200, "closed")
        refused(await someone.check_in(campaign.slug, made["check_in_code"]), 409, "event_not_open")
        entries = await rows(
            kit,
            "SELECT action FROM core.audit_entry WHERE object = :object ORDER BY seq",
            object=f"event:{made['event_id']}",
        )
        assert [entry.action for entry in entries] == ["event.create", "event.close"]
        assert (await detail(desk, made["event_id"])).json()["state"] == "closed"
        unknown = await desk.client.post(
            "/issuance/v1/events/00/close", json={"reason": "x"}, headers=desk.one
        )
        refused(unknown, 404, "not_found")

    async def test_an_event_takes_as_many_as_it_has_places(
        self, client: httpx.AsyncClient, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        made = await made_event(desk, clock, campaign.slug, capacity=2)
        people = [Partaker(client, await new_person(kit)) for _ in range(3)]
        assert (await people[0].check_in(campaign.slug, made["check_in_code"])).status_code == 201
        listed = await client.get(f"/issuance/v1/campaigns/{campaign.slug}/events")
        assert listed.json()["items"][0]["places_left"] == 1
        assert (await people[1].check_in(campaign.slug, made["check_in_code"])).status_code == 201
        refused(await people[2].check_in(campaign.slug, made["check_in_code"]), 409, "event_full")
        told = (await detail(desk, made["event_id"])).json()
        assert (told["capacity"], told["checked_in"], told["places_left"]) == (2, 2, 0)
        assert await count(kit, "activity", campaign) == await count(kit, "chance", campaign) == 2


class TestRotatingCode:
    async def test_the_shown_code_changes_and_an_old_one_is_worthless(
        self, client: httpx.AsyncClient, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        made = await made_event(desk, clock, campaign.slug, rotate_seconds=30)
        photographed = made["check_in_code"]
        assert len(photographed) == 16
        people = [Partaker(client, await new_person(kit)) for _ in range(4)]
        assert (await people[0].check_in(campaign.slug, photographed)).status_code == 201
        clock.advance(seconds=30)
        assert (await people[1].check_in(campaign.slug, photographed)).status_code == 201
        clock.advance(seconds=30)
        refused(await people[2].check_in(campaign.slug, photographed), 409, "check_in_code_expired")
        refused(await people[2].check_in(campaign.slug, photographed[:10]), 409, "check_in_code_expired")
        told = (await detail(desk, made["event_id"])).json()
        assert told["check_in_code"][:10] == photographed[:10]
        assert told["check_in_code"] != photographed
        assert told["code_expires_at"] > rfc3339(clock.now())
        assert (await people[2].check_in(campaign.slug, told["check_in_code"])).status_code == 201


class TestPoster:
    async def test_the_code_is_drawn_for_staff_under_both_addresses(
        self, client: httpx.AsyncClient, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign, other = await open_ways(kit, clock), await open_ways(kit, clock)
        event_id = (await made_event(desk, clock, campaign.slug))["event_id"]
        pictures = []
        for url in (f"/events/{event_id}/qr.svg", f"/campaigns/{campaign.slug}/events/{event_id}/qr.svg"):
            drawn = await client.get(f"/issuance/v1{url}", headers=desk.one)
            assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/svg+xml")
            assert re.search(r"<svg [^>]*>.*<path ", drawn.text, re.DOTALL)
            pictures.append(drawn.text)
            assert (await client.get(f"/issuance/v1{url}")).status_code == 401
        assert pictures[0] == pictures[1]
        wrong = f"/issuance/v1/campaigns/{other.slug}/events/{event_id}/qr.svg"
        refused(await client.get(wrong, headers=desk.one), 404, "not_found")
        missing = f"/issuance/v1/events/{'0' * 32}/qr.svg"
        refused(await client.get(missing, headers=desk.one), 404, "not_found")

    async def test_a_rotating_code_is_drawn_anew(self, desk: Desk, kit: Kit, clock: ManualClock) -> None:
        campaign = await open_ways(kit, clock)
        made = await made_event(desk, clock, campaign.slug, rotate_seconds=30)
        url = f"/issuance/v1/events/{made['event_id']}/qr.svg"
        first = await desk.client.get(url, headers=desk.one)
        clock.advance(seconds=30)
        assert (await desk.client.get(url, headers=desk.one)).text != first.text
        assert first.headers["cache-control"] == "no-store"
