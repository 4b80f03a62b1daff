"""Card events over HTTP, signed: each counts once, for the hospital whose code came first."""

import secrets
from datetime import timedelta

import pytest

from tests.support.quota import Bureau, Json, Programme, event, issued, sheet

JULY, AUGUST, SEPTEMBER = "2020-07-15", "2020-08-15", "2020-09-15"


@pytest.fixture
async def programme(bureau: Bureau) -> Programme:
    """A programme of the test's own."""
    return await bureau.programme(f"cards-{secrets.token_hex(4)}", total=1000)


async def test_a_card_counts_for_the_hospital_whose_code_it_came_through(programme: Programme) -> None:
    outcomes = await programme.send(
        issued(programme, "甲", 1, "p1", AUGUST), issued(programme, "乙", 2, "p2", AUGUST)
    )
    assert outcomes == ["counted", "counted"]
    assert await programme.issued() == {"甲": 1, "乙": 1}


async def test_an_event_counts_once_however_often_it_comes(programme: Programme) -> None:
    first = issued(programme, "甲", 1, "p1", AUGUST)
    assert await programme.send(first, first) == ["counted", "duplicate_event"]
    assert await programme.send(first) == ["duplicate_event"]
    assert await programme.issued() == {"甲": 1}


async def test_an_event_id_counts_once_also_under_another_holder(programme: Programme) -> None:
    await programme.send(issued(programme, "甲", 1, "p1", AUGUST))
    assert await programme.send(issued(programme, "乙", 1, "p2", AUGUST)) == ["duplicate_event"]
    assert await programme.issued() == {"甲": 1}


async def test_a_person_counts_once_for_the_first_code(programme: Programme) -> None:
    outcomes = await programme.send(
        issued(programme, "甲", 1, "p", "2020-08-01"), issued(programme, "乙", 2, "p", "2020-08-02")
    )
    assert outcomes == ["counted", "already_has_card"]
    assert await programme.issued() == {"甲": 1}


async def test_the_earlier_code_counts_also_when_its_event_comes_later_in_the_batch(
    programme: Programme,
) -> None:
    outcomes = await programme.send(
        issued(programme, "乙", 2, "p", "2020-08-02"), issued(programme, "甲", 1, "p", "2020-08-01")
    )
    assert outcomes == ["already_has_card", "counted"]
    assert await programme.issued() == {"甲": 1}


async def test_a_late_event_with_an_earlier_code_moves_the_card_to_its_hospital(programme: Programme) -> None:
    await programme.send(issued(programme, "乙", 2, "p", "2020-08-02"))
    assert await programme.send(issued(programme, "甲", 1, "p", "2020-08-01")) == ["already_has_card"]
    assert await programme.issued() == {"甲": 1}
    assert await programme.figures("card") == [("card", "2020-08-01", "甲", 1)]


@pytest.mark.parametrize("scene", [None, "", "0000000000000", "不是场景值", "AAAAAAAAAAAA"])
async def test_a_card_without_a_known_code_is_kept_and_visible(
    programme: Programme, scene: str | None
) -> None:
    assert await programme.send({**event(1, AUGUST), "scene": scene}) == ["unattributed"]
    progress = await programme.progress()
    assert (progress["issued"], progress["attributed"], progress["unattributed"]) == (1, 0, 1)


async def test_a_code_of_another_programme_is_nobodys_here(bureau: Bureau, programme: Programme) -> None:
    other = await bureau.programme(f"other-{secrets.token_hex(4)}")
    assert await programme.send({**event(1, AUGUST), "scene": other.scene("甲")}) == ["unattributed"]


async def test_the_same_holder_counts_in_each_programme(bureau: Bureau, programme: Programme) -> None:
    other = await bureau.programme(f"other-{secrets.token_hex(4)}")
    await programme.send(issued(programme, "甲", 1, "p", AUGUST))
    assert await other.send(issued(other, "甲", 1, "p", AUGUST)) == ["counted"]


async def test_a_replaced_code_goes_on_counting(bureau: Bureau, programme: Programme) -> None:
    old = programme.scene("甲")
    await bureau.post(
        f"hospitals/{programme.id('甲')}/codes/{programme.scene('甲')}/replace", {"reason": "海报破损"}
    )
    assert await programme.send({**event(1, AUGUST), "scene": old}) == ["counted"]
    assert await programme.issued() == {"甲": 1}


async def test_a_typed_scene_is_understood(programme: Programme) -> None:
    assert await programme.send({**event(1, AUGUST), "scene": programme.scene("甲").lower()}) == ["counted"]


class TestUse:
    async def test_a_card_counts_as_used_once(self, programme: Programme) -> None:
        outcomes = await programme.send(
            issued(programme, "甲", 1, "p", "2020-08-01"),
            issued(programme, None, 2, "p", "2020-08-02", kind="used"),
            issued(programme, None, 3, "p", "2020-08-03", kind="used"),
        )
        assert outcomes == ["counted", "counted", "counted"]
        progress = await programme.progress()
        assert progress["used"] == 1
        assert [item["used"] for item in progress["items"]] == [1, 0, 0]

    async def test_use_of_a_card_that_is_not_known_is_kept_and_counts_when_the_card_comes(
        self, programme: Programme
    ) -> None:
        used = issued(programme, None, 2, "p", "2020-08-02", kind="used")
        assert await programme.send(used) == ["unknown_holder"]
        assert (await programme.progress())["used"] == 0
        await programme.send(issued(programme, "甲", 1, "p", "2020-08-01"))
        assert (await programme.progress())["used"] == 1
        assert await programme.send(used) == ["duplicate_event"]


class TestCancellation:
    async def test_a_cancelled_card_stops_counting_from_the_month_of_its_cancellation(
        self, programme: Programme
    ) -> None:
        outcomes = await programme.send(
            issued(programme, "甲", 1, "p", JULY),
            issued(programme, None, 2, "p", JULY, kind="used"),
            issued(programme, None, 3, "p", AUGUST, kind="cancelled"),
        )
        assert outcomes == ["counted", "counted", "counted"]
        progress = await programme.progress()
        assert (progress["issued"], progress["used"]) == (0, 0)
        assert (await programme.month_issued("2020-07"))["甲"] == 1
        assert (await programme.month_issued("2020-08"))["甲"] == -1
        august = {item["hospital"]: item["issued"] for item in (await programme.ranking("2020-08"))["items"]}
        assert august["甲"] == 0

    async def test_a_new_card_of_that_person_counts_again(self, programme: Programme) -> None:
        outcomes = await programme.send(
            issued(programme, "甲", 1, "p", JULY),
            issued(programme, None, 2, "p", AUGUST, kind="cancelled"),
            issued(programme, "乙", 3, "p", SEPTEMBER),
        )
        assert outcomes == ["counted", "counted", "counted"]
        assert await programme.issued() == {"乙": 1}

    async def test_a_cancellation_that_comes_before_its_card_takes_effect_with_it(
        self, programme: Programme
    ) -> None:
        cancelled = issued(programme, None, 2, "p", AUGUST, kind="cancelled")
        assert await programme.send(cancelled) == ["unknown_holder"]
        assert await programme.send(issued(programme, "甲", 1, "p", JULY)) == ["counted"]
        assert await programme.issued() == {}
        assert (await programme.month_issued("2020-07"))["甲"] == 1

    async def test_only_one_cancellation_counts(self, programme: Programme) -> None:
        await programme.send(issued(programme, "甲", 1, "p", JULY))
        outcomes = await programme.send(
            issued(programme, None, 2, "p", AUGUST, kind="cancelled"),
            issued(programme, None, 3, "p", SEPTEMBER, kind="cancelled"),
        )
        assert outcomes == ["counted", "unknown_holder"]

    async def test_a_late_card_between_two_cards_changes_nothing_but_what_it_should(
        self, programme: Programme
    ) -> None:
        await programme.send(
            issued(programme, "甲", 1, "p", JULY), issued(programme, "乙", 3, "p", SEPTEMBER)
        )
        assert await programme.issued() == {"甲": 1}
        await programme.send(issued(programme, None, 2, "p", AUGUST, kind="cancelled"))
        assert await programme.issued() == {"乙": 1}


class TestRefusals:
    async def test_a_malformed_event_refuses_the_whole_batch_and_is_named(self, programme: Programme) -> None:
        good, bad = issued(programme, "甲", 1, "p", AUGUST), event("\x07", AUGUST)
        answer = await programme.platform.post(f"{programme.path}/card-events", {"events": [good, bad]})
        assert answer.status_code == 422
        (fault,) = answer.json()["errors"]
        assert fault["loc"] == "body.events[1].event_id"
        assert await programme.send(good) == ["counted"]

    @pytest.mark.parametrize(
        ("changes", "loc"),
        [
            ({"kind": "lost"}, "kind"),
            ({"at": "2020-08-15"}, "at"),
            ({"at": "2020-08-15T10:00:00"}, "at"),
            ({"at": 1597456800}, "at"),
            ({"at": "1999-12-31T23:59:59+08:00"}, "at"),
            ({"holder_ref": ""}, "holder_ref"),
            ({"holder_ref": "x" * 129}, "holder_ref"),
            ({"holder_ref": 5}, "holder_ref"),
            ({"event_id": "e\n"}, "event_id"),
            ({"event_id": ""}, "event_id"),
            ({"event_id": "e" * 129}, "event_id"),
            ({"scene": "x" * 65}, "scene"),
        ],
    )
    async def test_each_field_has_its_bounds(self, programme: Programme, changes: Json, loc: str) -> None:
        answer = await programme.platform.post(
            f"{programme.path}/card-events", {"events": [{**event(1), **changes}]}
        )
        assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, f"body.events[0].{loc}")

    async def test_an_unknown_field_is_refused(self, programme: Programme) -> None:
        answer = await programme.platform.post(
            f"{programme.path}/card-events", {"events": [{**event(1), "phone": "13800000000"}]}
        )
        assert answer.status_code == 422

    async def test_a_time_in_the_future_is_a_wrong_clock(self, bureau: Bureau, programme: Programme) -> None:
        ahead = (bureau.kit.clock.now() + timedelta(minutes=6)).isoformat()
        answer = await programme.platform.post(
            f"{programme.path}/card-events", {"events": [event(1), event(2, ahead)]}
        )
        (fault,) = answer.json()["errors"]
        assert (answer.status_code, fault["loc"]) == (422, "body.events[1].at")
        assert "e-2" in fault["message"]

    async def test_a_batch_has_at_most_a_thousand_events(self, programme: Programme) -> None:
        events = [event(number) for number in range(1001)]
        answer = await programme.platform.post(f"{programme.path}/card-events", {"events": events})
        assert answer.status_code == 422
        assert len(await programme.send(*events[:1000])) == 1000

    async def test_an_empty_batch_has_no_results(self, programme: Programme) -> None:
        assert await programme.send() == []

    async def test_a_body_that_is_no_json_is_refused(self, programme: Programme) -> None:
        answer = await programme.platform.post(f"{programme.path}/card-events", b"{")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


class TestSignature:
    async def test_a_nonce_is_good_once(self, programme: Programme) -> None:
        body = {"events": [event(1)]}
        path = f"{programme.path}/card-events"
        assert (await programme.platform.post(path, body, nonce="n-1")).status_code == 200
        refused = await programme.platform.post(path, body, nonce="n-1")
        assert (refused.status_code, refused.json()["code"]) == (401, "replayed")

    async def test_a_refused_batch_leaves_its_nonce_unused(self, programme: Programme) -> None:
        path = f"{programme.path}/card-events"
        bad = {"events": [{**event(1), "kind": "lost"}]}
        assert (await programme.platform.post(path, bad, nonce="n-2")).status_code == 422
        assert (await programme.platform.post(path, {"events": [event(1)]}, nonce="n-2")).status_code == 200

    async def test_a_clock_that_is_off_is_told_the_time(self, programme: Programme) -> None:
        refused = await programme.platform.post(f"{programme.path}/card-events", {"events": []}, skew=301)
        assert (refused.status_code, refused.json()["code"]) == (401, "clock_skew")
        assert refused.json()["server_time"].endswith("+08:00")

    async def test_a_wrong_key_an_unknown_key_and_another_programmes_key_are_one_answer(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        other = await bureau.programme(f"other-{secrets.token_hex(4)}")
        platform = programme.platform
        for key_id, key in (
            (platform.key_id, "wrong"),
            ("key_unknown", platform.key),
            (other.platform.key_id, other.platform.key),
        ):
            stranger = type(platform)(platform.client, platform.clock, key_id, key)
            refused = await stranger.post(f"{programme.path}/card-events", {"events": []})
            assert (refused.status_code, refused.json()["code"]) == (401, "bad_signature")

    async def test_an_unsigned_batch_is_refused(self, bureau: Bureau, programme: Programme) -> None:
        refused = await bureau.post(f"{programme.path}/card-events", {"events": []}, status=401)
        assert refused["code"] == "unauthenticated"

    async def test_a_revoked_key_is_refused_at_once(self, bureau: Bureau, programme: Programme) -> None:
        path = f"{programme.path}/platform-keys"
        key_id = programme.platform.key_id
        body = {"reason": "密钥泄露"}
        await bureau.post(f"{path}/{key_id}/revoke", body, status=403)
        await bureau.post(f"{path}/{key_id}/revoke", body, status=200, headers=bureau.admin)
        refused = await programme.platform.post(f"{programme.path}/card-events", {"events": []})
        assert refused.json()["code"] == "bad_signature"
        again = await bureau.post(f"{path}/{key_id}/revoke", body, status=409, headers=bureau.admin)
        assert again["code"] == "already_revoked"
        await bureau.post(f"{path}/key_none/revoke", body, status=404, headers=bureau.admin)


class TestPlatformKeys:
    async def test_a_key_is_shown_once_and_made_by_administrators_only(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        path = f"{programme.path}/platform-keys"
        await bureau.post(path, {"label": "平台"}, status=403)
        body = {"label": "平台", "request_no": f"k-{secrets.token_hex(4)}"}
        made = await bureau.post(path, body, headers=bureau.admin)
        assert await bureau.post(path, body, status=200, headers=bureau.admin) == made
        listed = await bureau.get(path)
        assert made["key_id"] in {item["key_id"] for item in listed["items"]}
        assert made["key"] not in str(listed)

    async def test_a_programme_that_is_not_there_has_no_keys(self, bureau: Bureau) -> None:
        await bureau.post("programmes/none/platform-keys", {"label": "x"}, status=404, headers=bureau.admin)


class TestFile:
    HEADER = "事件编号,推广码,持卡人,类型,时间"

    async def test_events_come_by_file_as_they_do_by_batch(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        scene = programme.scene("甲")
        content = sheet(
            ("f-1", scene, "p1", "发放", "2020-08-01 10:00:00"),
            ("f-2", "", "p2", "issued", "2020-08-01T10:00:00+08:00"),
            ("f-1", scene, "p1", "发放", "2020-08-01 10:00:00"),
            ("f-3", scene, "p1", "使用", "2020/8/2 9:30"),
            ("f-4", scene, "p3", "遗失", "昨天"),
            header=self.HEADER,
        )
        report = await bureau.upload(f"{programme.path}/card-events/import", content)
        assert (report["rows"], report["accepted"], report["duplicates"], report["rejected"]) == (5, 3, 1, 1)
        assert report["outcomes"] == {"counted": 2, "unattributed": 1}
        assert {(fault["row"], fault["column"]) for fault in report["errors"]} == {(6, "kind"), (6, "at")}
        again = await bureau.upload(f"{programme.path}/card-events/import", content)
        assert (again["already_imported"], again["accepted"], again["duplicates"]) == (True, 0, 4)
        assert await programme.issued() == {"甲": 1, "": 1}
        assert await programme.figures("card") == [
            ("card", "2020-08-01", "", 1), ("card", "2020-08-01", "甲", 1),
        ]  # fmt: skip

    async def test_a_file_of_several_batches_is_counted_whole(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        rows = [(f"m-{n}", programme.scene("甲"), f"p-{n}", "发放", "2020-08-01 10:00") for n in range(2500)]
        report = await bureau.upload(f"{programme.path}/card-events/import", sheet(*rows, header=self.HEADER))
        assert report["outcomes"] == {"counted": 2500}

    async def test_only_writers_import(self, bureau: Bureau, programme: Programme) -> None:
        await bureau.upload(f"{programme.path}/card-events/import", b"", status=403, headers=bureau.auditor)


async def test_days_are_those_of_the_programmes_time_zone(bureau: Bureau) -> None:
    programme = await bureau.programme(f"zone-{secrets.token_hex(4)}", timezone="America/New_York")
    await programme.send(issued(programme, "甲", 1, "p", "2020-08-01T03:00:00+00:00"))
    assert await programme.figures("card") == [("card", "2020-07-31", "甲", 1)]


async def test_a_holder_is_stored_as_a_keyed_hash_only(bureau: Bureau, programme: Programme) -> None:
    await programme.send({**event("pii", AUGUST), "holder_ref": "330382199001011234"})
    async with bureau.kit.database.snapshot() as tx:
        for table in ("card", "card_event", "card_event_key", "card_credit"):
            rows = (await tx.exec_driver_sql(f"SELECT t::text FROM quota.{table} t")).scalars().all()
            assert rows
            assert not any("330382199001011234" in row for row in rows)
