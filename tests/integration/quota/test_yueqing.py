"""The published programme of 2020, loaded and recomputed over HTTP."""

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.quota import Bureau, Json

DATA = Path(__file__).resolve().parents[3] / "deploy" / "demo_data" / "yueqing-2020"
SLUG = "yueqing-2020"


@pytest.fixture(scope="module")
def definition() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DATA / "programme.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def published() -> list[dict[str, str]]:
    text = (DATA / "hospitals.csv").read_text(encoding="utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
async def loaded(bureau: Bureau, definition: dict[str, Any]) -> Bureau:
    body = {name: value for name, value in definition.items() if name not in {"checks", "adjustments"}}
    made = await bureau.post("programmes", body)
    assert (made["remaining_exact"], made["allocation_total"], made["landing_url"]) == (
        164758,
        165000,
        "/app",
    )
    report = await bureau.upload(f"programmes/{SLUG}/hospitals/import", (DATA / "hospitals.csv").read_bytes())
    assert (report["rows"], report["accepted"], report["rejected"], report["duplicates"]) == (37, 37, 0, 0)
    return bureau


async def allocated(bureau: Bureau, definition: dict[str, Any], method: str) -> Json:
    body = {
        "total": definition["allocation_total"],
        "method": method,
        "adjustments": definition["adjustments"],
        "reason": "乐卫发〔2020〕88号",
    }
    await bureau.approved(f"programmes/{SLUG}/allocations", body)
    return await bureau.get(f"programmes/{SLUG}/allocations/current")


async def test_rounding_each_row_reproduces_the_37_published_quotas(
    loaded: Bureau, definition: dict[str, Any], published: list[dict[str, str]]
) -> None:
    current = await allocated(loaded, definition, "round_each")
    assert {item["hospital"]: item["quota"] for item in current["items"]} == {
        row["hospital"]: int(row["published_quota"]) for row in published
    }
    assert (current["sum"], current["difference"]) == (165003, 3)


async def test_shares_agree_with_the_published_ones_to_nine_digits(
    loaded: Bureau, definition: dict[str, Any], published: list[dict[str, str]]
) -> None:
    current = await allocated(loaded, definition, "round_each")
    shares = {item["hospital"]: Decimal(item["share"]) for item in current["items"]}
    assert {name: round(share, 9) for name, share in shares.items()} == {
        row["hospital"]: Decimal(row["published_share"]) for row in published
    }


async def test_the_largest_remainder_adds_up_exactly_and_alliances_with_it(
    loaded: Bureau, definition: dict[str, Any]
) -> None:
    current = await allocated(loaded, definition, "largest_remainder")
    assert current["sum"] == 165000 == sum(item["quota"] for item in current["items"])
    alone = sum(item["quota"] for item in current["items"] if not item["alliance"])
    assert sum(entry["quota"] for entry in current["alliances"]) + alone == 165000
    for entry in current["alliances"]:
        assert entry["quota"] == sum(
            item["quota"] for item in current["items"] if item["alliance"] == entry["alliance"]
        )


async def test_the_adjustment_is_shown_where_it_was_taken_and_given(
    loaded: Bureau, definition: dict[str, Any]
) -> None:
    current = await allocated(loaded, definition, "round_each")
    moved = {
        item["hospital"]: item["adjustment_points"]
        for item in current["items"]
        if item["adjustment_points"] != "0"
    }
    assert moved == {"乐清市妇幼保健院": "-3", "乐清市人民医院": "3"}
    (adjustment,) = current["adjustments"]
    assert (adjustment["from"], adjustment["to"], adjustment["share_points"]) == (
        "乐清市妇幼保健院",
        "乐清市人民医院",
        "3",
    )
