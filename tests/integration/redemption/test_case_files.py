"""A case is handed on as a file without any person in it, and what was decided can be taken back."""

import io
import secrets
import zipfile

import httpx
import pytest
from sqlalchemy import text

from shared.clients.terminal import Refused
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from tests.support.cases import MANY, Scene
from tests.support.people import signed_in_staff
from tests.support.settlements import books
from tests.support.vouchers import held_vouchers


async def case_of(scene: Scene) -> dict[str, object]:
    await scene.write_off()
    await scene.work()
    return await scene.case()


async def reopen(scene: Scene, case: dict[str, object], **more: str) -> httpx.Response:
    return await scene.staff.post(f"/risk/cases/{case['id']}/reopen", {"reason": "误判", **more})


def words(content: bytes) -> str:
    """Everything that a workbook says, on all sheets; fails for a formula."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
        assert not any(b"<f>" in archive.read(name) for name in sheets)
        return archive.read("xl/sharedStrings.xml").decode()


class TestFiles:
    async def test_a_case_tells_reasons_write_offs_and_who_decided(self, scene: Scene) -> None:
        case = await case_of(scene)
        await scene.decide(case, "hold_settlement")
        await scene.staff.post(f"/risk/cases/{case['id']}/release", {"reason": "=1+1 查无问题"})
        answer = await scene.staff.get(f"/risk/cases/{case['id']}/case.xlsx")
        assert answer.status_code == 200
        assert "attachment" in answer.headers["content-disposition"]
        said = words(answer.content)
        for expected in (
            "领取后十分钟内核销的占比",
            "暂缓结算",
            "已现场核查",
            "=1+1 查无问题",
            "持券人9",
        ):
            assert expected in said, expected
        async with scene.kit.database.snapshot() as tx:
            persons = await tx.execute(
                text("""
                    SELECT p.name_masked, p.id::text FROM redemption.risk_case_item i
                    JOIN redemption.redemption r ON r.bucket = i.bucket AND r.id = i.redemption_id
                    JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
                    JOIN core.person p ON p.bucket = v.bucket AND p.id = v.person_id
                    WHERE i.case_id = :id
                """),
                {"id": case["id"]},
            )
            told = persons.all()
            clerk = await tx.execute(
                text(
                    "SELECT username FROM core.staff s JOIN redemption.risk_case k ON k.decided_by = s.id"
                    " WHERE k.id = :id"
                ),
                {"id": case["id"]},
            )
            assert clerk.scalar_one() in said
        assert len(told) == MANY
        assert not any(part in said for person in told for part in person)
        rows = [row.cells for row in read_rows(answer.content)]
        assert ("状态", "已处理") in [row[:2] for row in rows]

    async def test_the_list_is_narrowed_as_the_page_is(self, scene: Scene) -> None:
        case = await case_of(scene)
        await scene.decide(case, "watch", note="=HYPERLINK(1)")
        slug = scene.campaign.slug
        found = await scene.staff.get("/risk/cases.xlsx", campaign=slug, decision="watch", kind="burst")
        assert found.status_code == 200
        assert str(case["id"]) in words(found.content)
        assert "=HYPERLINK(1)" in words(found.content)
        other = await scene.staff.get("/risk/cases.xlsx", campaign=slug, status="open")
        assert str(case["id"]) not in words(other.content)
        assert (await scene.staff.get("/risk/cases.xlsx", campaign="nobody")).status_code == 404
        assert (await scene.staff.get(f"/risk/cases/{secrets.token_hex(16)}/case.xlsx")).status_code == 404
        assert [one["id"] for one in await scene.cases(decision="watch")] == [case["id"]]
        assert await scene.cases(decision="dismiss") == []

    async def test_who_may_have_them(self, scene: Scene) -> None:
        case = await case_of(scene)
        own = await signed_in_staff(scene.kit, Role.INSTITUTION, institution_id=scene.institution)
        auditor = await signed_in_staff(scene.kit, Role.AUDITOR)
        for headers, status, changes in (({}, 401, 401), (own, 403, 403), (auditor, 200, 403)):
            for path in ("cases.xlsx", f"cases/{case['id']}/case.xlsx"):
                answer = await scene.staff.http.get(f"/redemption/v1/risk/{path}", headers=headers)
                assert answer.status_code == status
            answer = await scene.staff.http.post(
                f"/redemption/v1/risk/cases/{case['id']}/reopen", json={"reason": "x"}, headers=headers
            )
            assert answer.status_code == changes


class TestReopening:
    async def test_held_write_offs_are_free_and_the_case_can_be_decided_again(self, scene: Scene) -> None:
        case = await case_of(scene)
        scene.clock.advance(hours=1)
        day = scene.clock.now().date().isoformat()
        assert (await scene.decide(case, "hold_settlement")).json()["held"] == MANY
        desk = await books(scene.kit, scene.staff)
        assert (await desk.settle(scene.campaign, day, day))["count"] == 0
        done = await reopen(scene, case)
        assert done.json() == {"id": case["id"], "status": "open", "released": MANY, "resumed": False}
        opened = await scene.case()
        assert (opened["status"], opened["decision"], opened["decided_by"]) == ("open", None, None)
        assert (await scene.decide(case, "watch")).status_code == 200
        assert (await desk.settle(scene.campaign, day, day))["count"] == MANY
        detail = (await scene.staff.get(f"/risk/cases/{case['id']}")).json()
        assert [(one["action"], one["decision"]) for one in detail["actions"]] == [
            ("decide", "hold_settlement"), ("reopen", None), ("decide", "watch"),
        ]  # fmt: skip
        async with scene.kit.database.snapshot() as tx:
            audited = await tx.execute(
                text("SELECT action FROM core.audit_entry WHERE object = :object ORDER BY seq"),
                {"object": f"case:{case['id']}"},
            )
            assert audited.scalars().all() == ["risk.decide", "risk.reopen", "risk.decide"]

    async def test_what_was_paused_works_again(self, scene: Scene) -> None:
        case = await case_of(scene)
        for decision, code in (
            ("pause_terminal", "terminal_paused"),
            ("pause_institution", "institution_paused"),
        ):
            assert (await scene.decide(case, decision)).status_code == 200
            with pytest.raises(Refused) as refused:
                await scene.write_off(1)
            assert refused.value.code == code
            assert (await reopen(scene, case)).json()["resumed"] is True
            await scene.write_off(1)

    async def test_what_somebody_else_paused_stays_paused(self, scene: Scene) -> None:
        case = await case_of(scene)
        await scene.staff.post(f"/institutions/{scene.institution}/pause", {"reason": "停业整顿"})
        assert (await scene.decide(case, "pause_institution")).status_code == 200
        assert (await reopen(scene, case)).json()["resumed"] is False
        await scene.staff.post(f"/terminals/{scene.till.terminal_id}/pause", {"reason": "遗失"})
        assert (await scene.decide(case, "pause_terminal")).status_code == 200
        assert (await reopen(scene, case)).json()["resumed"] is False
        kept = (await scene.staff.get(f"/institutions/{scene.institution}/terminals")).json()
        assert {one["status"] for one in kept["items"]} == {"paused"}

    async def test_what_another_case_wants_paused_stays_paused_until_that_is_reopened(
        self, scene: Scene
    ) -> None:
        await scene.staff.post(f"/institutions/{scene.institution}/capacity", {"hourly": 5})
        await scene.write_off()
        await scene.work()
        one, other = await scene.cases()
        for decision in ("pause_terminal", "pause_institution"):
            for case in (one, other):
                assert (await scene.decide(case, decision)).status_code == 200
            assert (await reopen(scene, one)).json()["resumed"] is False
            assert (await reopen(scene, other)).json()["resumed"] is True
            await scene.write_off(1)

    async def test_two_cases_do_not_undo_what_a_person_paused(self, scene: Scene) -> None:
        await scene.staff.post(f"/institutions/{scene.institution}/capacity", {"hourly": 5})
        await scene.write_off()
        await scene.work()
        await scene.staff.post(f"/institutions/{scene.institution}/pause", {"reason": "停业整顿"})
        both = await scene.cases()
        for case in both:
            assert (await scene.decide(case, "pause_institution")).status_code == 200
        for case in both:
            assert (await reopen(scene, case)).json()["resumed"] is False

    async def test_a_revoked_terminal_stays_revoked(self, scene: Scene) -> None:
        case = await case_of(scene)
        await scene.decide(case, "pause_terminal")
        await scene.staff.post(f"/terminals/{scene.till.terminal_id}/revoke", {"reason": "x"})
        assert (await reopen(scene, case)).json()["resumed"] is False

    async def test_an_open_case_has_nothing_to_take_back(self, scene: Scene) -> None:
        case = await case_of(scene)
        refused = await reopen(scene, case)
        assert (refused.status_code, refused.json()["code"]) == (409, "case_open")
        assert (await reopen(scene, {"id": secrets.token_hex(16)})).status_code == 404

    async def test_a_repeated_wish_is_answered_again(self, scene: Scene) -> None:
        case, number = await case_of(scene), secrets.token_hex(4)
        await scene.decide(case, "dismiss")
        first = await reopen(scene, case, request_no=number)
        again = await reopen(scene, case, request_no=number)
        assert (first.status_code, again.json()) == (200, first.json())
        assert again.headers["Idempotent-Replay"] == "true"

    async def test_what_comes_later_adds_to_it_again(self, scene: Scene) -> None:
        case = await case_of(scene)
        await scene.decide(case, "dismiss")
        await reopen(scene, case)
        await scene.write_off(3)
        await scene.work()
        assert (await scene.case())["redemptions"] == MANY + 3

    async def test_the_hold_of_one_write_off_may_be_released_alone(self, scene: Scene) -> None:
        case = await case_of(scene)
        await scene.decide(case, "hold_settlement")
        holds = (
            await scene.staff.get("/settlement-holds", institution_id=scene.institution, open="true")
        ).json()
        path = f"/settlement-holds/{holds['items'][0]['id']}/release"
        assert (await scene.staff.post(path, {"reason": "单笔核实"})).status_code == 200
        assert (await reopen(scene, case)).json()["released"] == MANY - 1
        assert len(await held_vouchers(scene.kit, scene.campaign, "checkup", 1)) == 1
