"""Two clerks at two processes: one contract price, one undoing, one device; and nothing in between."""

import asyncio
import secrets
from datetime import timedelta

import httpx
from sqlalchemy import text

from shared.clock import local_day
from tests.race.redemption.conftest import Town
from tests.support.tills import Bureau, bureau


async def clerks(town: Town) -> tuple[Bureau, Bureau]:
    return await bureau(town.apps[0], town.kit), await bureau(town.apps[1], town.kit)


async def imported(staff: Bureau, town: Town, rows: list[str]) -> str:
    answer = await staff.http.post(
        "/redemption/v1/institutions/import",
        params={"campaign": town.campaign.slug},
        files={"file": ("list.csv", "\n".join(["名称,类别,受理券种", *rows]).encode())},
        headers=staff.headers,
    )
    assert answer.status_code == 200
    return str(answer.json()["import_id"])


def codes(answers: list[httpx.Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


async def test_price_that_two_approve_at_once_is_written_once(town: Town) -> None:
    one, two = await clerks(town)
    body = {
        "campaign": town.campaign.slug,
        "voucher_type": "checkup",
        "price_fen": 20_000,
        "effective_from": (
            local_day(town.kit.clock.now(), town.campaign.timezone) + timedelta(days=30)
        ).isoformat(),
        "reason": "协议",
    }
    path = f"/institutions/{town.institution}/contract-prices"
    change = (await town.staff.post(path, body)).json()["change_id"]
    answers = await asyncio.gather(
        *(clerk.post(f"/changes/{change}/approve", {}) for clerk in (one, two) for _ in range(8))
    )
    assert codes(answers) == [200] + [409] * 15
    async with town.kit.database.snapshot() as tx:
        count = await tx.execute(
            text("SELECT count(*) FROM redemption.contract_price WHERE change_id = CAST(:id AS uuid)"),
            {"id": change},
        )
        assert count.scalar_one() == 1


async def test_two_prices_for_one_day_get_versions_of_their_own(town: Town) -> None:
    one, two = await clerks(town)
    day = (local_day(town.kit.clock.now(), town.campaign.timezone) + timedelta(days=40)).isoformat()
    path = f"/institutions/{town.institution}/contract-prices"
    changes = []
    for price in range(1, 9):
        body = {
            "campaign": town.campaign.slug,
            "voucher_type": "fitness",
            "price_fen": price,
            "effective_from": day,
            "reason": "x",
        }
        changes.append((await town.staff.post(path, body)).json()["change_id"])
    answers = await asyncio.gather(
        *((one, two)[place % 2].post(f"/changes/{id_}/approve", {}) for place, id_ in enumerate(changes))
    )
    assert codes(answers) == [200] * 8
    items = (await one.get(path, campaign=town.campaign.slug)).json()["items"]
    versions = [item["version"] for item in items if item["effective_from"] == day]
    assert versions == [8, 7, 6, 5, 4, 3, 2, 1]


async def test_list_is_undone_once(town: Town) -> None:
    one, two = await clerks(town)
    import_id = await imported(one, town, [f"示例·{secrets.token_hex(4)},shop,fitness" for _ in range(5)])
    path, body = f"/institutions/imports/{import_id}/undo", {"reason": "x"}
    answers = await asyncio.gather(*(clerk.post(path, body) for clerk in (one, two) for _ in range(4)))
    assert codes(answers) == [200] + [409] * 7


async def test_terminal_and_undoing_never_pass_each_other(town: Town) -> None:
    """Whoever comes first: the institution stays with its terminal, or there is neither."""
    one, two = await clerks(town)
    for _ in range(6):
        name = f"示例·{secrets.token_hex(4)}"
        import_id = await imported(one, town, [f"{name},shop,fitness"])
        (item,) = (await one.get("/institutions", q=name)).json()["items"]
        undone, made = await asyncio.gather(
            one.post(f"/institutions/imports/{import_id}/undo", {"reason": "x"}),
            two.post(f"/institutions/{item['id']}/terminals", {"label": "x"}),
        )
        assert undone.status_code == 200
        stays = [kept["reason"] for kept in undone.json()["kept"]] == ["has_terminals"]
        assert made.status_code == (201 if stays else 404)
        assert ((await one.get(f"/institutions/{item['id']}")).status_code == 200) is stays


async def test_code_activates_one_device(town: Town) -> None:
    code = await town.staff.activation_code(town.institution)
    bodies = [{"activation_code": code, "device_id": f"d{number}"} for number in range(16)]
    answers = await asyncio.gather(
        *(
            town.apps[number % 2].post("/redemption/v1/terminals/activate", json=body)
            for number, body in enumerate(bodies)
        )
    )
    assert codes(answers) == [201] + [404] * 15


async def test_of_codes_that_are_made_at_once_one_works(town: Town) -> None:
    path = f"/institutions/{town.institution}/terminals"
    made = (await town.staff.post(path, {"label": "x"})).json()
    reissue = f"/redemption/v1/terminals/{made['terminal_id']}/activation-code"
    answers = await asyncio.gather(
        *(
            town.apps[number % 2].post(reissue, json={"reason": "x"}, headers=town.staff.headers)
            for number in range(8)
        )
    )
    assert codes(answers) == [201] * 8
    every = [made["activation_code"], *(answer.json()["activation_code"] for answer in answers)]
    activated = await asyncio.gather(
        *(
            town.apps[number % 2].post(
                "/redemption/v1/terminals/activate",
                json={"activation_code": code, "device_id": f"d{number}"},
            )
            for number, code in enumerate(every)
        )
    )
    assert codes(activated) == [201] + [404] * 8
