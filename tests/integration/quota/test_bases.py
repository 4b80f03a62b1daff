"""Bases beside the visits: imported by name, allocated by, kept in the version."""

import pytest

from shared.documents.sheets import read_rows
from tests.support.quota import API, Bureau, Json
from tests.support.workbooks import workbook


def beds(*rows: tuple[str, object]) -> bytes:
    return "\n".join(["医院,床位数", *(f"{name},{value}" for name, value in rows)]).encode()


def proposal(**changes: Json) -> dict[str, Json]:
    return {"total": 100, "method": "largest_remainder", "reason": "按床位", **changes}


ALL = (("甲", 10), ("乙", "12.5"), ("丙", "27.5"))


async def test_a_basis_is_made_by_its_first_import_and_updated_by_the_next(bureau: Bureau) -> None:
    path = (await bureau.programme("beds")).path
    await bureau.get(f"{path}/bases/床位数", status=404)
    report = await bureau.upload(f"{path}/bases/床位数/import?dry_run=true", beds(*ALL))
    assert (report["rows"], report["accepted"], report["dry_run"]) == (3, 3, True)
    await bureau.get(f"{path}/bases/床位数", status=404)
    report = await bureau.upload(f"{path}/bases/床位数/import", beds(*ALL))
    assert (report["accepted"], report["updated"], report["already_imported"]) == (3, 0, False)
    report = await bureau.upload(f"{path}/bases/床位数/import", beds(*ALL))
    assert (report["accepted"], report["duplicates"], report["already_imported"]) == (0, 3, True)
    report = await bureau.upload(f"{path}/bases/床位数/import", beds(("甲", 20), ("乙", "12.5")))
    assert (report["accepted"], report["updated"], report["duplicates"]) == (1, 1, 1)
    page = await bureau.get(f"{path}/bases/床位数?limit=2")
    assert [(item["hospital"], item["value"]) for item in page["items"]] == [("甲", "20"), ("乙", "12.5")]
    rest = await bureau.get(f"{path}/bases/床位数?cursor={page['next_cursor']}")
    assert ([item["value"] for item in rest["items"]], rest["next_cursor"]) == (["27.5"], None)
    listed = (await bureau.get(f"{path}/bases"))["items"]
    assert [(item["basis"], item["hospitals"], item["missing"], item["sum"]) for item in listed] == [
        ("visits", 3, 0, "1000"),
        ("床位数", 3, 0, "60"),
    ]


async def test_faulty_rows_are_named_and_the_good_ones_taken(bureau: Bureau) -> None:
    path = (await bureau.programme("faulty-beds")).path
    rows = workbook([["医院", "数值"], ["甲", 5], ["无此医院", 1], ["乙", "很多"], ["甲", 6]])
    report = await bureau.upload(f"{path}/bases/beds/import", rows)
    assert (report["rows"], report["accepted"], report["rejected"], report["duplicates"]) == (4, 1, 3, 0)
    assert [(fault["row"], fault["column"]) for fault in report["errors"]] == [
        (3, "hospital"), (4, "value"), (5, "value"),
    ]  # fmt: skip


async def test_a_file_without_one_good_row_makes_no_basis(bureau: Bureau) -> None:
    path = (await bureau.programme("no-beds")).path
    report = await bureau.upload(
        f"{path}/bases/beds/import", beds(("无此医院", 1)).replace("床位数".encode(), b"beds")
    )
    assert (report["accepted"], report["rejected"]) == (0, 1)
    await bureau.get(f"{path}/bases/beds", status=404)


async def test_the_template_names_every_hospital_and_comes_back_filled_in(bureau: Bureau) -> None:
    path = (await bureau.programme("beds-template")).path
    await bureau.upload(f"{path}/bases/beds/import", b"hospital,beds\n\xe7\x94\xb2,7\n")
    answer = await bureau.client.get(f"{API}/{path}/bases/beds/template.xlsx", headers=bureau.operator)
    rows = [list(row.cells) for row in read_rows(answer.content)]
    assert rows[1:] == [["甲", "7"], ["乙", ""], ["丙", ""]]
    filled = workbook([rows[0], rows[1], ["乙", "8"], ["丙", "9"]])
    report = await bureau.upload(f"{path}/bases/beds/import", filled)
    assert (report["accepted"], report["duplicates"], report["rejected"]) == (2, 1, 0)


async def test_quotas_are_by_the_named_basis_and_the_version_keeps_its_figures(bureau: Bureau) -> None:
    programme = await bureau.programme("by-beds", total=100)
    await bureau.upload(f"{programme.path}/bases/床位数/import", beds(*ALL))
    await bureau.approved(f"{programme.path}/allocations", proposal(basis="床位数"))
    await bureau.upload(f"{programme.path}/bases/床位数/import", beds(("甲", 1000)))
    current = await bureau.get(f"{programme.path}/allocations/current")
    assert current["basis"] == "床位数"
    assert [(item["visits"], item["basis_value"], item["quota"]) for item in current["items"]] == [
        (600, "10", 20), (300, "12.5", 25), (100, "27.5", 55),
    ]  # fmt: skip
    assert current["items"][0]["share"] == "0.200000000000"
    first = await bureau.get(f"{programme.path}/allocations/1")
    assert (first["basis"], [item["quota"] for item in first["items"]]) == ("visits", [60, 30, 10])


async def test_other_figures_since_the_proposal_no_longer_fit(bureau: Bureau) -> None:
    programme = await bureau.programme("stale-beds")
    await bureau.upload(f"{programme.path}/bases/床位数/import", beds(*ALL))
    proposed = await bureau.post(f"{programme.path}/allocations", proposal(basis="床位数"), status=202)
    await bureau.upload(f"{programme.path}/bases/床位数/import", beds(("甲", 11)))
    change = f"changes/{proposed['change_id']}/approve"
    refused = await bureau.post(change, {}, status=409, headers=bureau.second)
    assert refused["code"] == "no_longer_fits"


async def test_a_basis_without_everybodys_figure_is_refused_by_name(bureau: Bureau) -> None:
    programme = await bureau.programme("half-beds")
    await bureau.upload(f"{programme.path}/bases/床位数/import", beds(*ALL[:2]))
    refused = await bureau.post(f"{programme.path}/allocations", proposal(basis="床位数"), status=409)
    assert refused["code"] == "basis_incomplete"
    assert "丙" in refused["detail"]


async def test_a_basis_of_zeros_is_nothing_to_share_by(bureau: Bureau) -> None:
    programme = await bureau.programme("zero-beds")
    await bureau.upload(f"{programme.path}/bases/床位数/import", beds(*((name, 0) for name, _ in ALL)))
    refused = await bureau.post(f"{programme.path}/allocations", proposal(basis="床位数"), status=409)
    assert refused["code"] == "no_visits"


async def test_an_unknown_basis_is_a_fault_of_the_proposal(bureau: Bureau) -> None:
    programme = await bureau.programme("unknown-basis")
    for name, code in (("beds", "basis_unknown"), ("a b", "string_pattern_mismatch")):
        refused = await bureau.post(f"{programme.path}/allocations", proposal(basis=name), status=422)
        assert [(fault["loc"], fault["code"]) for fault in refused["errors"]] == [("body.basis", code)]


@pytest.mark.parametrize(
    ("basis", "content", "code"),
    [
        ("visits", b"hospital,value\n", "basis_reserved"),
        ("beds", b"hospital,chairs\n", "column_missing"),
        ("a%20b", b"hospital,value\n", "string_pattern_mismatch"),
    ],
)
async def test_what_cannot_be_imported_is_refused(
    bureau: Bureau, basis: str, content: bytes, code: str
) -> None:
    answer = await bureau.client.get(f"{API}/programmes/basis-refused", headers=bureau.operator)
    if answer.status_code == 404:
        await bureau.programme("basis-refused")
    refused = await bureau.upload(f"programmes/basis-refused/bases/{basis}/import", content, status=422)
    assert refused["errors"][0]["code"] == code


async def test_auditors_read_bases_and_import_none(bureau: Bureau) -> None:
    path = (await bureau.programme("audited-beds")).path
    await bureau.get(f"{path}/bases", headers=bureau.auditor)
    await bureau.get(f"{path}/bases/visits", headers=bureau.auditor)
    await bureau.upload(f"{path}/bases/beds/import", beds(*ALL), status=403, headers=bureau.auditor)
