"""What stands out becomes a case once, with its write-offs; a person decides, and the decision bites."""

import secrets

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from shared.clients.terminal import OfflineItem, Refused
from shared.identity.staff import Role
from tests.support.cases import DAY, MANY, Scene
from tests.support.people import signed_in_staff
from tests.support.settlements import books
from tests.support.vouchers import held_vouchers


class TestCases:
    async def test_a_burst_right_after_issue_opens_one_case_with_its_write_offs(self, scene: Scene) -> None:
        redeemed = await scene.write_off()
        await scene.work()
        case = await scene.case()
        assert (case["kind"], case["status"], case["suggested"]) == ("burst", "open", "hold_settlement")
        assert (case["institution_id"], case["terminal_id"]) == (scene.institution, scene.till.terminal_id)
        assert (case["from"], case["to"], case["redemptions"]) == (DAY, DAY, MANY)
        assert case["evidence"]["reasons"] == [
            {"code": "share_within_minutes_of_issue", "value": 1.0, "threshold": 0.3}
        ]
        detail = (await scene.staff.get(f"/risk/cases/{case['id']}")).json()
        assert [item["redemption_id"] for item in detail["items"]] == redeemed
        assert {item["status"] for item in detail["items"]} == {"redeemed"}
        assert "holder" not in str(detail)
        assert "person" not in str(detail)

    async def test_the_job_runs_twice_and_opens_nothing_more(self, scene: Scene) -> None:
        await scene.write_off()
        await scene.work()
        await scene.work()
        first = await scene.case()
        more = await scene.write_off(2)
        await scene.work()
        grown = await scene.case()
        assert (grown["id"], grown["redemptions"]) == (first["id"], MANY + len(more))

    async def test_ordinary_write_offs_open_nothing(self, scene: Scene) -> None:
        vouchers = await held_vouchers(scene.kit, scene.campaign, "general_50", MANY)
        scene.clock.advance(hours=1)
        for place, voucher in enumerate(vouchers):
            await scene.till.redeem(voucher.code, 6_001 + 37 * place)
        await scene.work()
        assert await scene.cases() == []

    async def test_more_than_the_declared_capacity(self, scene: Scene) -> None:
        path = f"/institutions/{scene.institution}/capacity"
        declared = await scene.staff.post(path, {"hourly": 5})
        assert (declared.status_code, declared.json()["hourly"]) == (200, 5)
        await scene.write_off()
        await scene.work()
        assert {case["kind"] for case in await scene.cases()} == {"burst", "capacity"}

    async def test_listed_by_status_kind_and_institution(self, scene: Scene) -> None:
        await scene.write_off()
        await scene.work()
        case = await scene.case()
        assert [one["id"] for one in await scene.cases(status="open", kind="burst")] == [case["id"]]
        assert await scene.cases(status="decided") == []
        assert await scene.cases(kind="jump") == []
        assert await scene.cases(institution_id="ins_nobody") == []
        for wrong in ({"status": "closed"}, {"kind": "x"}, {"limit": "0"}, {"cursor": "x"}):
            answer = await scene.staff.get("/risk/cases", **wrong)
            assert answer.status_code == 422

    async def test_pages_of_cases_and_of_evidence(self, scene: Scene) -> None:
        await scene.staff.post(f"/institutions/{scene.institution}/capacity", {"hourly": 5})
        redeemed = await scene.write_off()
        await scene.work()
        first = (await scene.staff.get("/risk/cases", campaign=scene.campaign.slug, limit="1")).json()
        params = {"campaign": scene.campaign.slug, "limit": "1", "cursor": first["next_cursor"]}
        second = (await scene.staff.get("/risk/cases", **params)).json()
        assert second["next_cursor"] is None
        assert first["items"][0]["id"] != second["items"][0]["id"]
        path = f"/risk/cases/{first['items'][0]['id']}"
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = (await scene.staff.get(path, limit="4", **({"cursor": cursor} if cursor else {}))).json()
            seen += [item["redemption_id"] for item in page["items"]]
            cursor = page["next_cursor"]
        assert seen == redeemed

    async def test_who_may_look_and_decide(self, scene: Scene) -> None:
        await scene.write_off()
        await scene.work()
        case = await scene.case()
        path = f"/redemption/v1/risk/cases/{case['id']}"
        own = await signed_in_staff(scene.kit, Role.INSTITUTION, institution_id=scene.institution)
        auditor = await signed_in_staff(scene.kit, Role.AUDITOR)
        body = {"decision": "dismiss", "note": "x"}
        for headers, reads, decides in (({}, 401, 401), (own, 403, 403), (auditor, 200, 403)):
            http = scene.staff.http
            assert (await http.get(path, headers=headers)).status_code == reads
            assert (await http.get("/redemption/v1/risk/cases", headers=headers)).status_code == reads
            assert (await http.post(f"{path}/decide", json=body, headers=headers)).status_code == decides
            released = await http.post(f"{path}/release", json={"reason": "x"}, headers=headers)
            assert released.status_code == decides


class TestDecisions:
    async def test_a_decided_case_is_decided_once_and_never_opens_again(self, scene: Scene) -> None:
        await scene.write_off()
        await scene.work()
        case = await scene.case()
        done = await scene.decide(case, "dismiss")
        assert (done.status_code, done.json()["status"], done.json()["held"]) == (200, "decided", 0)
        again = await scene.decide(case, "watch")
        assert (again.status_code, again.json()["code"]) == (409, "already_decided")
        await scene.write_off(3)
        await scene.work()
        after = await scene.case()
        assert (after["status"], after["decision"], after["note"]) == ("decided", "dismiss", "已现场核查")
        assert after["redemptions"] == MANY

    async def test_a_repeated_decision_is_answered_again(self, scene: Scene) -> None:
        await scene.write_off()
        await scene.work()
        case, number = await scene.case(), secrets.token_hex(4)
        first = await scene.decide(case, "hold_settlement", request_no=number)
        again = await scene.decide(case, "hold_settlement", request_no=number)
        assert (first.json()["held"], again.json()) == (MANY, first.json())
        assert again.headers["Idempotent-Replay"] == "true"
        other = await scene.decide(case, "dismiss", request_no=number)
        assert (other.status_code, other.json()["code"]) == (409, "request_no_reused")
        async with scene.kit.database.snapshot() as tx:
            holds = await tx.execute(
                text("SELECT count(*) FROM redemption.settlement_hold WHERE institution_id = :id"),
                {"id": scene.institution},
            )
            assert holds.scalar_one() == MANY

    async def test_held_write_offs_wait_for_their_release(self, scene: Scene) -> None:
        await scene.write_off()
        await scene.work()
        case = await scene.case()
        scene.clock.advance(hours=1)
        desk = await books(scene.kit, scene.staff)
        day = scene.clock.now().date().isoformat()
        assert (await scene.decide(case, "hold_settlement")).json()["held"] == MANY
        late = await held_vouchers(scene.kit, scene.campaign, "checkup", 1)
        await scene.till.redeem(late[0].code)
        assert (await desk.settle(scene.campaign, day, day))["count"] == 1
        detail = (await scene.staff.get(f"/risk/cases/{case['id']}")).json()
        assert {(item["held"], item["settled"]) for item in detail["items"]} == {(True, False)}
        path = f"/risk/cases/{case['id']}/release"
        released = await scene.staff.post(path, {"reason": "查无问题"})
        assert (released.status_code, released.json()["released"]) == (200, MANY)
        again = await scene.staff.post(path, {"reason": "查无问题"})
        assert (again.status_code, again.json()["code"]) == (409, "no_open_holds")
        assert (await desk.settle(scene.campaign, day, day))["count"] == MANY

    async def test_nothing_is_left_to_hold(self, scene: Scene) -> None:
        await scene.write_off()
        await scene.work()
        day = scene.clock.now().date().isoformat()
        await (await books(scene.kit, scene.staff)).settle(scene.campaign, day, day)
        case = await scene.case()
        refused = await scene.decide(case, "hold_settlement")
        assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_hold")
        assert (await scene.case())["status"] == "open"

    async def test_a_paused_terminal_writes_nothing_off(self, scene: Scene) -> None:
        await scene.write_off()
        await scene.work()
        done = await scene.decide(await scene.case(), "pause_terminal")
        assert done.json()["terminal_id"] == scene.till.terminal_id
        with pytest.raises(Refused) as refused:
            await scene.write_off(1)
        assert refused.value.code == "terminal_paused"

    async def test_a_case_of_several_terminals_needs_to_be_told_which(self, scene: Scene) -> None:
        second = await scene.staff.till(scene.institution)
        await scene.write_off(5)
        await scene.write_off(5, till=second)
        await scene.work()
        case = await scene.case()
        assert case["terminal_id"] is None
        refused = await scene.decide(case, "pause_terminal")
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "terminal_required")
        stranger = await scene.staff.till(await scene.staff.institution(scene.campaign))
        unknown = await scene.decide(case, "pause_terminal", terminal_id=stranger.terminal_id)
        assert unknown.status_code == 404
        done = await scene.decide(case, "pause_terminal", terminal_id=second.terminal_id)
        assert done.json()["terminal_id"] == second.terminal_id

    async def test_a_revoked_terminal_cannot_be_paused(self, scene: Scene) -> None:
        await scene.write_off()
        await scene.work()
        await scene.staff.post(f"/terminals/{scene.till.terminal_id}/revoke", {"reason": "x"})
        refused = await scene.decide(await scene.case(), "pause_terminal")
        assert (refused.status_code, refused.json()["code"]) == (409, "terminal_not_active")
        assert (await scene.case())["status"] == "open"

    async def test_a_paused_institution_writes_nothing_off(self, scene: Scene) -> None:
        await scene.write_off()
        await scene.work()
        assert (await scene.decide(await scene.case(), "pause_institution")).status_code == 200
        with pytest.raises(Refused) as refused:
            await scene.write_off(1)
        assert refused.value.code == "institution_paused"
        async with scene.kit.database.snapshot() as tx:
            actions = await tx.execute(
                text("SELECT action FROM core.audit_entry WHERE object = :object"),
                {"object": f"institution:{scene.institution}"},
            )
            assert "institution.pause" in actions.scalars().all()

    async def test_what_cannot_be_decided(self, scene: Scene) -> None:
        await scene.write_off()
        await scene.work()
        case = await scene.case()
        path = f"/risk/cases/{case['id']}/decide"
        for body in (
            {"decision": "dismiss"},
            {"decision": "burn", "note": "x"},
            {"decision": "watch", "note": " "},
        ):
            assert (await scene.staff.post(path, body)).status_code == 422
        body = {"decision": "watch", "note": "x"}
        unknown = "0" * 32
        assert (await scene.staff.post(f"/risk/cases/{unknown}/decide", body)).status_code == 404
        assert (await scene.staff.get(f"/risk/cases/{unknown}")).status_code == 404
        assert (await scene.staff.post(f"/risk/cases/{unknown}/release", {"reason": "x"})).status_code == 404
        refused = await scene.staff.post("/institutions/ins_nobody/capacity", {"hourly": 5})
        assert refused.status_code == 404


class TestFigures:
    async def test_open_cases_are_counted_until_they_are_decided(self, scene: Scene) -> None:
        await scene.write_off()
        conflict = await held_vouchers(scene.kit, scene.campaign, "checkup", 1)
        await scene.till.redeem(conflict[0].code)
        other = await scene.staff.till(await scene.staff.institution(scene.campaign))
        used = OfflineItem(secrets.token_hex(4), conflict[0].code, scene.clock.now())
        await other.upload(secrets.token_hex(4), [used])
        await scene.work()
        params = {"campaign": scene.campaign.slug}
        assert (await scene.staff.get("/metrics", **params)).json()["open_cases"] == 2
        burst = (await scene.cases(kind="burst"))[0]
        offline = (await scene.cases(kind="offline_conflict"))[0]
        assert (offline["score"], offline["suggested"], offline["redemptions"]) == (None, None, 0)
        refused = await scene.decide(offline, "hold_settlement")
        assert refused.json()["code"] == "nothing_to_hold"
        await scene.decide(offline, "dismiss")
        assert (await scene.staff.get("/metrics", **params)).json()["open_cases"] == 1
        answer = await scene.staff.http.get("/redemption/metrics", headers=scene.staff.headers)
        gauge = {
            (sample.labels["campaign"], sample.labels["kind"]): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
            if sample.name == "hv_risk_open_cases"
        }
        assert gauge[scene.campaign.slug, "burst"] == 1
        assert gauge[scene.campaign.slug, "offline_conflict"] == 0
        await scene.decide(burst, "watch")
        assert (await scene.staff.get("/metrics", **params)).json()["open_cases"] == 0
