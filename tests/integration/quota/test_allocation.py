"""Allocations over HTTP: four eyes, versions, refusals."""

import pytest

from tests.support.quota import API, Bureau, Json, sheet


def proposal(total: int = 1000, **changes: Json) -> dict[str, Json]:
    return {"total": total, "method": "largest_remainder", "adjustments": [], "reason": "下达任务", **changes}


async def test_quotas_are_in_force_when_somebody_else_approved(bureau: Bureau) -> None:
    await bureau.programme("four-eyes")
    path = "programmes/four-eyes/allocations"
    proposed = await bureau.post(path, proposal(), status=202)
    assert proposed["status"] == "pending"
    assert (await bureau.get(f"{path}/current", status=404))["code"] == "no_allocation"
    change = f"changes/{proposed['change_id']}"
    assert (await bureau.post(f"{change}/approve", {}, status=403))["code"] == "same_person"
    await bureau.post(f"{change}/approve", {}, status=403, headers=bureau.auditor)
    applied = await bureau.post(f"{change}/approve", {}, status=200, headers=bureau.second)
    assert applied["status"] == "applied"
    current = await bureau.get(f"{path}/current")
    assert [(item["hospital"], item["quota"]) for item in current["items"]] == [
        ("甲", 600), ("乙", 300), ("丙", 100),
    ]  # fmt: skip
    assert current["alliances"] == [{"alliance": "A", "quota": 900}]
    again = await bureau.post(f"{change}/approve", {}, status=409, headers=bureau.second)
    assert again["code"] == "already_decided"


async def test_a_rejected_proposal_changes_nothing(bureau: Bureau) -> None:
    await bureau.programme("rejected")
    proposed = await bureau.post("programmes/rejected/allocations", proposal(), status=202)
    change = f"changes/{proposed['change_id']}"
    await bureau.post(f"{change}/reject", {"reason": "总数不对"}, status=200, headers=bureau.second)
    await bureau.get("programmes/rejected/allocations/current", status=404)


async def test_older_versions_are_kept(bureau: Bureau) -> None:
    programme = await bureau.programme("versions", total=1000)
    move = {"from": "甲", "to": programme.id("丙"), "cards": 50, "reason": "科室迁移"}
    await programme.allocate(1000, move)
    listed = (await bureau.get("programmes/versions/allocations"))["items"]
    assert [(entry["version"], entry["in_force"]) for entry in listed] == [(2, True), (1, False)]
    first = await bureau.get("programmes/versions/allocations/1")
    second = await bureau.get("programmes/versions/allocations/current")
    assert [item["quota"] for item in first["items"]] == [600, 300, 100]
    assert [item["quota"] for item in second["items"]] == [550, 300, 150]
    assert [item["adjustment_cards"] for item in second["items"]] == [-50, 0, 50]
    await bureau.get("programmes/versions/allocations/3", status=404)
    await bureau.get("programmes/versions/allocations/99999999999999999999", status=422)


async def test_a_preview_shows_the_quotas_and_writes_nothing(bureau: Bureau) -> None:
    await bureau.programme("preview")
    body = proposal(1001, method="round_each")
    shown = await bureau.post(
        "programmes/preview/allocations/preview", body, status=200, headers=bureau.auditor
    )
    assert (shown["version"], shown["sum"], shown["difference"]) == (None, 1001, 0)
    assert (await bureau.get("programmes/preview/allocations"))["items"] == []


async def test_the_approver_sees_before_and_after(bureau: Bureau) -> None:
    programme = await bureau.programme("seen", total=1000)
    move = {"from": "甲", "to": "乙", "share_points": "2.5", "reason": "门诊调整"}
    await bureau.post("programmes/seen/allocations", proposal(2000, adjustments=[move]), status=202)
    pending = (await bureau.get("changes?status=pending"))["items"][0]
    assert pending["before"]["alliances"] == {"A": 900}
    assert pending["body"]["alliances"] == {"A": 1800}
    (adjustment,) = pending["body"]["adjustments"]
    assert (adjustment["from"], adjustment["share_points"]) == (programme.id("甲"), "2.5")


async def test_a_proposal_whose_hospitals_changed_no_longer_fits_and_stays_pending(bureau: Bureau) -> None:
    await bureau.programme("stale")
    proposed = await bureau.post("programmes/stale/allocations", proposal(), status=202)
    await bureau.upload("programmes/stale/hospitals/import", sheet(("A", "甲", 601)))
    change = f"changes/{proposed['change_id']}"
    refused = await bureau.post(f"{change}/approve", {}, status=409, headers=bureau.second)
    assert refused["code"] == "no_longer_fits"
    pending = (await bureau.get("changes?status=pending"))["items"]
    assert proposed["change_id"] in {item["change_id"] for item in pending}


@pytest.mark.parametrize(
    ("changes", "loc", "code"),
    [
        ({"total": 0}, "body.total", "greater_than_equal"),
        ({"total": -5}, "body.total", "greater_than_equal"),
        ({"total": 10**10}, "body.total", "less_than_equal"),
        ({"method": "by_taste"}, "body.method", "literal_error"),
        ({"reason": ""}, "body.reason", "string_too_short"),
        ({"extra": 1}, "body.extra", "extra_forbidden"),
        (
            {"adjustments": [{"from": "无此医院", "to": "甲", "share_points": 1, "reason": "r"}]},
            "body.adjustments.0.from",
            "hospital_unknown",
        ),
        (
            {"adjustments": [{"from": "甲", "to": "甲", "share_points": 1, "reason": "r"}]},
            "body.adjustments.0.to",
            "same_hospital",
        ),
        (
            {"adjustments": [{"from": "甲", "to": "乙", "share_points": 0, "reason": "r"}]},
            "body.adjustments.0.share_points",
            "points_range",
        ),
        (
            {"adjustments": [{"from": "甲", "to": "乙", "share_points": 1, "cards": 1, "reason": "r"}]},
            "body.adjustments.0",
            "points_or_cards",
        ),
        (
            {"adjustments": [{"from": "甲", "to": "乙", "share_points": 1}]},
            "body.adjustments.0.reason",
            "missing",
        ),
    ],
)
async def test_a_malformed_proposal_is_refused_by_name(
    bureau: Bureau, changes: dict[str, Json], loc: str, code: str
) -> None:
    answer = await bureau.client.get(f"{API}/programmes/malformed", headers=bureau.operator)
    if answer.status_code == 404:
        await bureau.programme("malformed")
    refused = await bureau.post("programmes/malformed/allocations", proposal(**changes), status=422)
    assert (loc, code) in {(fault["loc"], fault["code"]) for fault in refused["errors"]}


async def test_an_adjustment_cannot_take_more_than_there_is(bureau: Bureau) -> None:
    await bureau.programme("too-much")
    move = {"from": "丙", "to": "甲", "share_points": 10.01, "reason": "r"}
    refused = await bureau.post("programmes/too-much/allocations", proposal(adjustments=[move]), status=409)
    assert refused["code"] == "quota_negative"
    assert "丙" in refused["detail"]


async def test_without_hospitals_or_visits_nothing_can_be_allocated(bureau: Bureau) -> None:
    await bureau.post("programmes", {"slug": "empty", "title": "空", "target_cards": 1})
    refused = await bureau.post("programmes/empty/allocations", proposal(), status=409)
    assert refused["code"] == "no_hospitals"
    await bureau.programme("idle", ("", "甲", 0))
    refused = await bureau.post("programmes/idle/allocations", proposal(), status=409)
    assert refused["code"] == "no_visits"


async def test_a_repeated_proposal_is_one_change(bureau: Bureau) -> None:
    await bureau.programme("one-change")
    body = proposal(request_no="a-1")
    first = await bureau.post("programmes/one-change/allocations", body, status=202)
    second = await bureau.post("programmes/one-change/allocations", body, status=200)
    assert first == second
