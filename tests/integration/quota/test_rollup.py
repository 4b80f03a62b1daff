"""Progress, metrics, the daily series and Prometheus say the same, and it is what the events come to."""

import secrets
from datetime import datetime

import pytest
from sqlalchemy import text

from shared.clock import CHINA, ManualClock
from tests.support.quota import API, Bureau, Json, Programme, event, issued, many

METRICS = {"Authorization": "Bearer metrics-token-of-the-tests"}
# Cards as they stand, straight from the persons' rows: no tally, no credit.
RECOUNT = text("""
    SELECT coalesce(h.alliance, '') AS alliance, coalesce(h.name, '') AS hospital, count(*) AS issued,
           count(*) FILTER (WHERE c.used) AS used
    FROM quota.card c LEFT JOIN quota.hospital h ON h.id = c.hospital_id
    WHERE c.programme_id = (SELECT id FROM quota.programme WHERE slug = :slug) AND c.state = 'active'
    GROUP BY 1, 2
""")


@pytest.fixture
async def programme(bureau: Bureau, clock: ManualClock) -> Programme:
    """Cards that came late, were cancelled, used, assigned, moved to an earlier code; a month is frozen."""
    clock.set(datetime(2020, 9, 10, 9, 0, tzinfo=CHINA))
    made = await bureau.programme(f"rollup-{secrets.token_hex(4)}", total=1000, ends_on="2020-12-31")
    await made.send(
        *many(made, "甲", 7, "2020-08-10"),
        *many(made, "乙", 5, "2020-08-11"),
        *many(made, "丙", 3, "2020-08-12"),
        event("nobody", "2020-08-13"),
        event("given", "2020-08-13"),
        issued(made, None, "u1", "甲-2020-08-10-0", "2020-08-14", kind="used"),
        issued(made, None, "u2", "乙-2020-08-11-0", "2020-08-14", kind="used"),
        issued(made, None, "c1", "乙-2020-08-11-1", "2020-08-15", kind="cancelled"),
    )
    await bureau.approved(f"{made.path}/rankings/freeze", {"month": "2020-08"})
    await bureau.approved(
        f"{made.path}/card-events/e-given/assign", {"hospital_id": made.id("丙"), "reason": "申诉"}
    )
    await made.send(
        issued(made, "甲", "late", "乙-2020-08-11-2", "2020-08-01"), *many(made, "甲", 2, "2020-09-01")
    )
    for _ in range(3):
        await bureau.client.get(f"{API}/s/{made.scene('乙')}")
    return made


async def test_hospitals_and_alliances_are_what_a_recount_of_the_cards_finds(
    bureau: Bureau, programme: Programme
) -> None:
    async with bureau.kit.database.snapshot() as tx:
        rows = (await tx.execute(RECOUNT, {"slug": programme.slug})).all()
    progress = await programme.progress()
    found = {item["hospital"]: (item["issued"], item["used"]) for item in progress["items"]}
    assert found == {row.hospital: (row.issued, row.used) for row in rows if row.hospital}
    (alliance,) = progress["alliances"]
    of_a = [row for row in rows if row.alliance == "A"]
    assert (alliance["issued"], alliance["used"]) == (
        sum(row.issued for row in of_a), sum(row.used for row in of_a),
    )  # fmt: skip
    assert progress["issued"] == sum(row.issued for row in rows) == 18
    assert progress["unattributed"] == 1
    for field in ("quota", "issued", "used", "month_issued", "expected"):
        members = [item[field] for item in progress["items"] if item["alliance"] == "A"]
        assert alliance[field] == sum(members)


async def test_the_daily_series_adds_up_to_the_totals(bureau: Bureau, programme: Programme) -> None:
    metrics = await bureau.get(f"metrics?programme={programme.slug}", headers=METRICS)
    for field in ("issued", "used", "scans"):
        assert sum(day[field] for day in metrics["daily"]) == metrics[field]
    assert (metrics["issued"], metrics["used"], metrics["scans"]) == (18, 2, 3)


async def test_prometheus_says_what_the_progress_says(bureau: Bureau, programme: Programme) -> None:
    answer = await bureau.client.get("/quota/metrics", headers=METRICS)
    shown: dict[str, dict[str, float]] = {}
    for line in answer.text.splitlines():
        if f'programme="{programme.slug}"' in line:
            name, _, rest = line.partition("{")
            hospital = rest.partition('hospital="')[2].partition('"')[0]
            shown.setdefault(name, {})[hospital] = float(line.rpartition(" ")[2])
    progress = await programme.progress()
    by_name: dict[str, Json] = {item["hospital"]: item for item in progress["items"]}
    assert shown["hv_card_quota"] == {name: item["quota"] for name, item in by_name.items()}
    assert shown["hv_cards_issued_total"] == {
        "": progress["unattributed"], **{name: item["issued"] for name, item in by_name.items()},
    }  # fmt: skip
    assert shown["hv_cards_used_total"] == {
        "": 0, **{name: item["used"] for name, item in by_name.items()},
    }  # fmt: skip
    assert shown["hv_card_scans_total"] == {"甲": 0, "乙": 3, "丙": 0}
