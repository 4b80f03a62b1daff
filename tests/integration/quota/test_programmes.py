"""Programmes and their hospitals over HTTP."""

import pytest

from shared.identity.staff import Role
from tests.support.people import signed_in_staff
from tests.support.quota import API, Bureau, Json, definition, sheet
from tests.support.workbooks import workbook


async def test_a_programme_is_answered_as_it_was_defined(bureau: Bureau) -> None:
    made = await bureau.post("programmes", definition("defined", ends_on="2020-12-31"))
    assert made == await bureau.get("programmes/defined")
    assert (made["remaining_exact"], made["landing_url"], made["ends_on"]) == (900, "/app", "2020-12-31")
    assert made["issued_before"] == {"as_of": "2020-07-31", "cards": 100}


async def test_a_slug_is_taken_once(bureau: Bureau) -> None:
    await bureau.post("programmes", definition("taken"))
    refused = await bureau.post("programmes", definition("taken"), status=409)
    assert refused["code"] == "slug_taken"


async def test_the_same_request_number_answers_the_same_again(bureau: Bureau) -> None:
    body = {**definition("again"), "request_no": "n-1"}
    first = await bureau.client.post(f"{API}/programmes", json=body, headers=bureau.operator)
    second = await bureau.client.post(f"{API}/programmes", json=body, headers=bureau.operator)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert second.headers["Idempotent-Replay"] == "true"
    other = await bureau.post("programmes", {**body, "title": "另一个"}, status=409)
    assert other["code"] == "request_no_reused"


async def test_every_fault_of_a_definition_is_named_at_once(bureau: Bureau) -> None:
    body = definition(
        "Not A Slug",
        timezone="Mars/Olympus",
        target_cards=214300,
        remaining_exact=1,
        landing_url="javascript:alert(1)",
        ends_on="2020-07-01",
        checks=[],
    )
    refused = await bureau.post("programmes", body, status=422)
    found = {(fault["loc"], fault["code"]) for fault in refused["errors"]}
    assert found == {
        ("body.slug", "string_pattern_mismatch"),
        ("body.timezone", "timezone_unknown"),
        ("body.landing_url", "landing_url_invalid"),
        ("body.remaining_exact", "remaining_mismatch"),
        ("body.ends_on", "ends_before_start"),
        ("body.checks", "extra_forbidden"),
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("target_cards", 0),
        ("target_cards", "1000"),
        ("target_cards", 10**12),
        ("issued_before", {"as_of": "2020-7-31", "cards": 1}),
        ("issued_before", {"as_of": "2020-07-31", "cards": -1}),
        ("target_share_of_residents", "1.5"),
        ("target_share_of_residents", "0.1234567"),
        ("ranking", {"every": "week", "flag": "x"}),
        ("landing_url", "//evil.example"),
        ("landing_url", "/app\r\nSet-Cookie: a=b"),
        ("ends_on", 20201231),
    ],
)
async def test_a_field_out_of_its_bounds_is_refused(bureau: Bureau, field: str, value: Json) -> None:
    refused = await bureau.post("programmes", {**definition("bounds"), field: value}, status=422)
    assert refused["errors"][0]["loc"].startswith(f"body.{field}")


async def test_programmes_are_listed_newest_first_in_pages(bureau: Bureau) -> None:
    for number in range(3):
        bureau.kit.clock.advance(seconds=1)  # type: ignore[attr-defined] # the tests' clock
        await bureau.post("programmes", definition(f"page-{number}"))
    first = await bureau.get("programmes?limit=2")
    second = await bureau.get(f"programmes?limit=2&cursor={first['next_cursor']}")
    slugs = [item["slug"] for item in first["items"] + second["items"]]
    assert slugs[:3] == ["page-2", "page-1", "page-0"]


async def test_a_hospital_s_staff_list_the_programme_that_they_are_in(bureau: Bureau) -> None:
    await bureau.programme("listed-a")
    other = await bureau.programme("listed-b")
    own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=other.id("甲"))
    listed = await bureau.get("programmes", headers=own)
    assert [item["slug"] for item in listed["items"]] == ["listed-b"]
    nowhere = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id="hos_nowhere")
    assert (await bureau.get("programmes", headers=nowhere))["items"] == []


class TestImport:
    async def test_header_words_may_be_chinese_and_in_any_order(self, bureau: Bureau) -> None:
        await bureau.post("programmes", definition("chinese"))
        content = "总诊疗数,医疗机构,医共体\n1200,甲医院,一\n300,乙医院,\n".encode()
        report = await bureau.upload("programmes/chinese/hospitals/import", content)
        assert (report["rows"], report["accepted"], report["updated"]) == (2, 2, 0)
        items = (await bureau.get("programmes/chinese/hospitals"))["items"]
        assert [(item["alliance"], item["hospital"], item["visits"]) for item in items] == [
            ("一", "甲医院", 1200),
            ("", "乙医院", 300),
        ]
        assert all(item["hospital_id"].startswith("hos_") and len(item["scene"]) <= 32 for item in items)

    async def test_a_workbook_with_merged_alliances_is_taken(self, bureau: Bureau) -> None:
        await bureau.post("programmes", definition("workbook"))
        rows: list[list[object]] = [
            ["医共体", "单位", "诊疗人次"],
            ["", "甲", 5],
            ["", "乙", 6],
            ["", "丙", 7],
        ]
        content = workbook(rows, [(1, 0, 2, 0, "一")])
        report = await bureau.upload("programmes/workbook/hospitals/import", content)
        assert report["accepted"] == 3
        items = (await bureau.get("programmes/workbook/hospitals"))["items"]
        assert [item["alliance"] for item in items] == ["一", "一", ""]

    async def test_a_dry_run_says_what_would_happen_and_writes_nothing(self, bureau: Bureau) -> None:
        await bureau.post("programmes", definition("dry"))
        content = sheet(("A", "甲", 1), ("A", "乙", "x"))
        foreseen = await bureau.upload("programmes/dry/hospitals/import?dry_run=true", content)
        assert (foreseen["accepted"], foreseen["rejected"], foreseen["dry_run"]) == (1, 1, True)
        assert (await bureau.get("programmes/dry/hospitals"))["items"] == []
        done = await bureau.upload("programmes/dry/hospitals/import", content)
        assert {**done, "dry_run": True} == foreseen

    async def test_known_hospitals_are_updated_and_keep_their_id_and_code(self, bureau: Bureau) -> None:
        programme = await bureau.programme("updated", ("A", "甲", 1), ("A", "乙", 2))
        content = sheet(("B", "甲", 1), ("A", "乙 ", 2), ("A", "丙", 3))
        report = await bureau.upload("programmes/updated/hospitals/import", content)
        assert (report["accepted"], report["updated"], report["duplicates"]) == (2, 1, 1)
        items = (await bureau.get("programmes/updated/hospitals"))["items"]
        assert [(item["hospital"], item["alliance"]) for item in items] == [
            ("甲", "B"), ("乙", "A"), ("丙", "A"),
        ]  # fmt: skip
        for field in ("hospital_id", "scene"):
            assert items[0][field] == programme.hospital("甲")[field]

    async def test_the_same_file_again_changes_nothing_and_says_so(self, bureau: Bureau) -> None:
        await bureau.post("programmes", definition("twice"))
        content = sheet(("A", "甲", 1), ("A", "乙", 2))
        first = await bureau.upload("programmes/twice/hospitals/import", content)
        second = await bureau.upload("programmes/twice/hospitals/import", content)
        assert (first["already_imported"], second["already_imported"]) == (False, True)
        assert (second["accepted"], second["duplicates"]) == (0, 2)

    async def test_each_bad_row_is_named_with_its_place_and_the_good_ones_are_taken(
        self, bureau: Bureau
    ) -> None:
        await bureau.post("programmes", definition("faulty"))
        content = sheet(
            ("A", "甲", 1),
            ("A", "", 2),
            ("A", "乙", "很多"),
            ("A", "丙", -5),
            ("A", "甲", 1),
            ("A", "甲", 9),
            ("", "合计", 12),
        )
        report = await bureau.upload("programmes/faulty/hospitals/import", content)
        assert report["rows"] == report["accepted"] + report["rejected"] + report["duplicates"] == 7
        assert (report["accepted"], report["duplicates"]) == (1, 1)
        assert [(fault["row"], fault["column"]) for fault in report["errors"]] == [
            (3, "hospital"), (4, "visits"), (5, "visits"), (7, "hospital"), (8, "hospital"),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"hospital\n\xe7\x94\xb2\n", "column_missing"),
            (b"hospital,visits,visits_2019\n", "column_ambiguous"),
            (b"PK\x03\x04", "file_unreadable"),
            (b"", "file_empty"),
        ],
    )
    async def test_a_file_that_is_no_list_of_hospitals_is_refused(
        self, bureau: Bureau, content: bytes, code: str
    ) -> None:
        await bureau.client.post(f"{API}/programmes", json=definition("no-list"), headers=bureau.operator)
        refused = await bureau.upload("programmes/no-list/hospitals/import", content, status=422)
        assert code in {fault["code"] for fault in refused["errors"]}

    async def test_an_import_without_a_file_is_refused(self, bureau: Bureau) -> None:
        answer = await bureau.client.post(
            f"{API}/programmes/nowhere/hospitals/import", files={"other": b"x"}, headers=bureau.operator
        )
        assert answer.status_code == 422

    async def test_lists_come_in_pages(self, bureau: Bureau) -> None:
        await bureau.programme("paged", *[("A", f"医院{n}", n) for n in range(5)])
        first = await bureau.get("programmes/paged/hospitals?limit=3")
        second = await bureau.get(f"programmes/paged/hospitals?limit=3&cursor={first['next_cursor']}")
        assert [item["visits"] for item in first["items"] + second["items"]] == [0, 1, 2, 3, 4]
        assert second["next_cursor"] is None

    @pytest.mark.parametrize(
        "query", ["limit=0", "limit=201", "cursor=xyz", "cursor=WyJhIl0", "cursor=Wy0xXQ"]
    )
    async def test_a_made_up_page_is_refused(self, bureau: Bureau, query: str) -> None:
        await bureau.client.post(f"{API}/programmes", json=definition("made-up"), headers=bureau.operator)
        assert (await bureau.get(f"programmes/made-up/hospitals?{query}", status=422))[
            "code"
        ] == "invalid_request"


async def test_what_is_not_there_is_404(bureau: Bureau) -> None:
    for path in ("programmes/none", "programmes/none/hospitals", "programmes/none/progress"):
        assert (await bureau.get(path, status=404))["code"] == "not_found"


async def test_only_writers_write_and_only_readers_read(bureau: Bureau) -> None:
    await bureau.programme("roles")
    institution = await signed_in_staff(bureau.kit, Role.INSTITUTION, institution_id="ins_1")
    assert (await bureau.post("programmes", definition("x"), status=403, headers=bureau.auditor))[
        "code"
    ] == "forbidden"
    await bureau.upload("programmes/roles/hospitals/import", b"", status=403, headers=bureau.auditor)
    await bureau.get("programmes/roles/hospitals", status=200, headers=bureau.auditor)
    await bureau.get("programmes/roles/hospitals", status=403, headers=institution)
    answer = await bureau.client.get(f"{API}/programmes/roles")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_hospital_sees_itself_only(bureau: Bureau) -> None:
    programme = await bureau.programme("own")
    own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=programme.id("乙"))
    stranger = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id="hos_elsewhere")
    listed = await bureau.get("programmes/own/hospitals", headers=own)
    assert [item["hospital"] for item in listed["items"]] == ["乙"]
    await bureau.get("programmes/own/hospitals", status=403, headers=stranger)
