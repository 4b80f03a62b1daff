"""A terminal is told what it is, what it accepts, and what it may take in without a line."""

import httpx

from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef, TillRules
from tests.support.tills import Bureau, signed
from tests.support.vouchers import published


async def test_terminal_is_told_what_it_is_and_what_it_may_take_offline(
    http: httpx.AsyncClient, kit: Kit, campaign: CampaignRef, staff: Bureau
) -> None:
    limited = await published(
        kit, "limited", tills=TillRules(offline_count_per_day=3, offline_fen_per_day=500)
    )
    institution = await staff.institution(limited, accepts=("fitness",), name="示例·健身中心")
    till = await staff.till(institution)
    told = await signed(till, http, "GET", "/terminals/self", kit=kit)
    assert told.status_code == 200
    own = told.json()
    assert own["institution"] == {"id": institution, "name": "示例·健身中心", "status": "active"}
    assert (own["terminal_id"], own["label"], own["status"]) == (till.terminal_id, "前台1号", "active")
    assert own["voucher_types"] == [
        {
            "campaign": "limited",
            "key": "fitness",
            "name": "全民健身券",
            "kind": "directed",
            "by_id_number": False,
            "reports_result": False,
        }
    ]
    day = {"campaign": "limited", "count_per_day": 3, "fen_per_day": 500}
    assert own["offline"] == {"items_max": 500, "late_hours": 72, "days": [day]}
    free = await signed(
        await staff.till(await staff.institution(campaign)), http, "GET", "/terminals/self", kit=kit
    )
    (unlimited,) = free.json()["offline"]["days"]
    assert unlimited == {"campaign": campaign.slug, "count_per_day": None, "fen_per_day": None}


async def test_what_a_terminal_is_told_needs_its_signature_and_is_told_once_for_each(
    http: httpx.AsyncClient, kit: Kit, campaign: CampaignRef, staff: Bureau
) -> None:
    till = await staff.till(await staff.institution(campaign))
    assert (await http.get("/redemption/v1/terminals/self")).status_code == 401
    assert (await signed(till, http, "GET", "/terminals/self", kit=kit, key="x")).json()[
        "code"
    ] == "bad_signature"
    for status in (200, 401):
        answer = await signed(till, http, "GET", "/terminals/self", kit=kit, nonce="n-1-of-self")
        assert answer.status_code == status
    paused = await staff.post(f"/terminals/{till.terminal_id}/pause", {"reason": "盘点"})
    assert paused.status_code == 200
    assert (await signed(till, http, "GET", "/terminals/self", kit=kit)).json()["status"] == "paused"
