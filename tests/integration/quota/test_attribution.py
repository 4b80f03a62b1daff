"""Unattributed cards are assigned by two people; any event can be traced."""

import secrets

import pytest

from shared.identity.staff import Role
from tests.support.people import signed_in_staff
from tests.support.quota import Bureau, Json, Programme, event, issued

AUGUST = "2020-08-15"


@pytest.fixture
async def programme(bureau: Bureau) -> Programme:
    return await bureau.programme(f"whose-{secrets.token_hex(4)}", total=1000)


def assignment(programme: Programme, hospital: str = "乙") -> dict[str, Json]:
    return {"hospital_id": programme.id(hospital), "reason": "医院申诉，附领卡记录"}


async def trace(programme: Programme, event_id: str) -> Json:
    return await programme.bureau.get(f"{programme.path}/events/{event_id}/trace")


class TestAssignment:
    async def test_an_unattributed_card_counts_for_its_hospital_once_approved(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await programme.send(event(1, AUGUST), issued(programme, None, 2, 1, "2020-08-16", kind="used"))
        path = f"{programme.path}/card-events/e-1/assign"
        proposed = await bureau.post(path, assignment(programme), status=202)
        assert await programme.issued() == {"": 1}
        change = f"changes/{proposed['change_id']}/approve"
        assert (await bureau.post(change, {}, status=403))["code"] == "same_person"
        await bureau.post(change, {}, status=200, headers=bureau.second)
        assert await programme.issued() == {"乙": 1}
        progress = await programme.progress()
        assert (progress["unattributed"], progress["used"]) == (0, 1)
        assert [item["used"] for item in progress["items"]] == [0, 1, 0]
        assert await programme.figures("card") == [("card", AUGUST, "乙", 1)]

    async def test_waiting_cards_are_listed_oldest_first(self, bureau: Bureau, programme: Programme) -> None:
        await programme.send(
            event(1, "2020-08-03"), {**event(2, "2020-08-01"), "scene": "damaged"}, event(3, "2020-08-02")
        )
        first = await bureau.get(f"{programme.path}/cards/unattributed?limit=2")
        assert [item["event_id"] for item in first["items"]] == ["e-2", "e-3"]
        assert first["items"][0]["scene"] == "damaged"
        second = await bureau.get(
            f"{programme.path}/cards/unattributed?limit=2&cursor={first['next_cursor']}"
        )
        assert [item["event_id"] for item in second["items"]] == ["e-1"]

    async def test_a_made_up_cursor_is_refused(self, bureau: Bureau, programme: Programme) -> None:
        for cursor in ("x", "WzFd", "WyIwMDAxLTAxLTAxVDAwOjAwOjAwWiIsICJlIl0"):
            path = f"{programme.path}/cards/unattributed?cursor={cursor}"
            assert (await bureau.get(path, status=422))["code"] == "invalid_request"

    async def test_only_an_unattributed_card_can_be_assigned(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await programme.send(
            issued(programme, "甲", 1, "p1", AUGUST),
            event(2, AUGUST),
            issued(programme, None, 3, 2, "2020-08-16"),
            event(4, AUGUST),
            issued(programme, None, 5, 4, "2020-08-16", kind="cancelled"),
        )
        for event_id in ("e-1", "e-3", "e-4", "e-5"):
            path = f"{programme.path}/card-events/{event_id}/assign"
            assert (await bureau.post(path, assignment(programme), status=409))["code"] == "not_unattributed"

    async def test_what_is_not_there_cannot_be_assigned(self, bureau: Bureau, programme: Programme) -> None:
        await programme.send(event(1, AUGUST))
        path = f"{programme.path}/card-events"
        unknown = await bureau.post(f"{path}/e-9/assign", assignment(programme), status=404)
        assert unknown["code"] == "event_unknown"
        nobody = await bureau.post(
            f"{path}/e-1/assign", {**assignment(programme), "hospital_id": "hos_x"}, status=422
        )
        assert nobody["errors"][0]["code"] == "hospital_unknown"
        other = await bureau.programme(f"whose-{secrets.token_hex(4)}")
        await bureau.post(f"{path}/e-1/assign", assignment(other), status=422)
        await bureau.post(f"{path}/e-1/assign", {"hospital_id": programme.id("甲")}, status=422)
        await bureau.post(f"{path}/e-1/assign", assignment(programme), status=403, headers=bureau.auditor)

    async def test_an_assignment_that_came_too_late_no_longer_fits(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await programme.send(event(1, AUGUST))
        proposed = await bureau.post(
            f"{programme.path}/card-events/e-1/assign", assignment(programme), status=202
        )
        await programme.send(issued(programme, "甲", 2, 1, "2020-08-01"))
        change = f"changes/{proposed['change_id']}/approve"
        assert (await bureau.post(change, {}, status=409, headers=bureau.second))["code"] == "no_longer_fits"
        assert await programme.issued() == {"甲": 1}

    async def test_a_second_assignment_of_the_same_card_does_not_fit(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await programme.send(event(1, AUGUST))
        path = f"{programme.path}/card-events/e-1/assign"
        first = await bureau.post(path, assignment(programme, "甲"), status=202)
        second = await bureau.post(path, assignment(programme, "乙"), status=202)
        await bureau.post(f"changes/{first['change_id']}/approve", {}, status=200, headers=bureau.second)
        await bureau.post(f"changes/{second['change_id']}/approve", {}, status=409, headers=bureau.second)
        assert await programme.issued() == {"甲": 1}


class TestTrace:
    async def test_a_counted_card_shows_its_code_and_its_line_of_the_count(
        self, programme: Programme
    ) -> None:
        await programme.send(issued(programme, "甲", 1, "p", AUGUST))
        found = await trace(programme, "e-1")
        assert (found["why"], found["counts"], found["hospital"]) == ("first_code", True, "甲")
        assert found["code"] == {
            "scene": programme.scene("甲"),
            "hospital_id": programme.id("甲"),
            "hospital": "甲",
            "replaced_at": None,
        }
        assert [(line["hospital"], line["day"], line["n"]) for line in found["credits"]] == [
            ("甲", AUGUST, 1)
        ]
        assert found["card"]["state"] == "active"
        assert found["source"] == f"platform:{programme.platform.key_id}"

    async def test_a_card_that_moved_shows_what_was_taken_back(self, programme: Programme) -> None:
        await programme.send(issued(programme, "乙", 2, "p", "2020-08-02"))
        await programme.send(issued(programme, "甲", 1, "p", "2020-08-01"))
        late, first = await trace(programme, "e-1"), await trace(programme, "e-2")
        assert (late["outcome"], late["why"], late["counts"]) == ("already_has_card", "first_code", True)
        assert (first["outcome"], first["why"], first["counts"]) == ("counted", "card_already_issued", False)
        assert [line["n"] for line in first["credits"]] == [1, -1]
        assert first["card"]["issued_event_id"] == "e-1"

    async def test_an_unknown_code_is_shown_as_it_was_sent(self, programme: Programme) -> None:
        await programme.send({**event(1, AUGUST), "scene": "torn-off"})
        found = await trace(programme, "e-1")
        assert (found["why"], found["hospital"]) == ("no_code", None)
        assert (found["code"]["scene"], found["code"]["hospital_id"]) == ("torn-off", None)

    async def test_an_assigned_card_names_the_change(self, bureau: Bureau, programme: Programme) -> None:
        await programme.send(event(1, AUGUST))
        change_id = await bureau.approved(f"{programme.path}/card-events/e-1/assign", assignment(programme))
        found = await trace(programme, "e-1")
        assert (found["why"], found["hospital"]) == ("assigned", "乙")
        assert found["assignment"]["change_id"] == change_id
        assert [(line["hospital"], line["n"]) for line in found["credits"]] == [
            (None, 1),
            (None, -1),
            ("乙", 1),
        ]

    async def test_use_and_cancellation_are_traced_too(self, programme: Programme) -> None:
        await programme.send(
            issued(programme, "甲", 1, "p", "2020-08-01"),
            issued(programme, None, 2, "p", "2020-08-02", kind="used"),
            issued(programme, None, 3, "p", "2020-08-03", kind="cancelled"),
            issued(programme, None, 4, "p", "2020-08-04", kind="used"),
        )
        found = {event_id: await trace(programme, event_id) for event_id in ("e-1", "e-2", "e-3", "e-4")}
        assert {event_id: (told["why"], told["counts"]) for event_id, told in found.items()} == {
            "e-1": ("card_cancelled", False),
            "e-2": ("card_open", False),
            "e-3": ("card_open", False),
            "e-4": ("no_open_card", False),
        }

    async def test_an_event_id_may_be_any_text(self, programme: Programme) -> None:
        await programme.send({**issued(programme, "甲", 1, "p", AUGUST), "event_id": "发卡/2020 8#1"})
        found = await trace(programme, "发卡%2F2020%208%231")
        assert (found["event_id"], found["why"]) == ("发卡/2020 8#1", "first_code")

    async def test_what_was_never_received_is_404(self, bureau: Bureau, programme: Programme) -> None:
        unknown = await bureau.get(f"{programme.path}/events/e-404/trace", status=404)
        assert unknown["code"] == "event_unknown"

    async def test_a_hospital_traces_what_concerns_it_only(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await programme.send(
            issued(programme, "甲", 1, "p", "2020-08-01"), issued(programme, "乙", 2, "p", "2020-08-02")
        )
        own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=programme.id("乙"))
        shown = await bureau.get(f"{programme.path}/events/e-2/trace", headers=own)
        assert (shown["why"], shown["card"]["hospital"]) == ("card_already_issued", "甲")
        await bureau.get(f"{programme.path}/events/e-1/trace", status=403, headers=own)
