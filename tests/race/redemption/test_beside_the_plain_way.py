"""Races of what tills do beside the plain write-off: by id number, with results, in uploads, with guesses."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import text

from services.redemption.app import create_app
from shared.clients.terminal import OfflineItem, TerminalClient
from shared.clock import ManualClock
from shared.integrity.catalogue import sql_checks
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef, TillRules, VoucherType
from shared.vouchers.codes import make_code
from tests.race.redemption.conftest import at_both
from tests.support.http import serving
from tests.support.people import resident_id
from tests.support.tills import Bureau, bureau, signed
from tests.support.vouchers import held_voucher, held_vouchers, identify, published

RACERS = 16
CONCERNED = {
    check.name for check in sql_checks() if check.file.startswith(("core_", "redemption_", "tills_"))
}
TYPES = (
    VoucherType("nucleic", "directed", "核酸检测券", None, 8_000, 60, reports_result_to_health_code=True),
)


@dataclass
class Yard:
    kit: Kit
    campaign: CampaignRef
    staff: Bureau
    apps: tuple[httpx.AsyncClient, httpx.AsyncClient]
    tills: tuple[TerminalClient, TerminalClient]

    async def post(
        self, place: int, path: str, body: object, *, till: TerminalClient | None = None
    ) -> httpx.Response:
        chosen = till or self.tills[place % 2]
        return await signed(chosen, self.apps[place // 2 % 2], "POST", path, body, kit=self.kit)

    async def one(self, statement: str, **values: object) -> object:
        async with self.kit.database.snapshot() as tx:
            return (await tx.execute(text(statement), values)).scalar_one()


@pytest.fixture(scope="module")
async def yard(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Yard]:
    strict = settings.model_copy(update={"wrong_codes_max": 20})
    async with AsyncExitStack() as stack:
        apps = [
            await stack.enter_async_context(serving(redemption=create_app(strict, clock=clock)))
            for _ in range(2)
        ]
        rules = TillRules(manual_write_off=True, offline_count_per_day=100)
        campaign = await published(kit, "honghe-yard", types=TYPES, tills=rules)
        staff = await bureau(apps[0], kit)
        institution = await staff.institution(campaign, accepts=("nucleic",))
        tills = (await staff.till(institution), await staff.till(institution))
        yield Yard(kit, campaign, staff, (apps[0], apps[1]), tills)
        report = await recompute(kit)
        assert [check for check in report.checks if not check.ok and check.name in CONCERNED] == []


def codes(answers: list[httpx.Response]) -> Counter[object]:
    return Counter(one.json().get("code", one.status_code) for one in answers)


async def test_one_holder_asked_for_at_many_tills_at_once(yard: Yard) -> None:
    voucher = await held_voucher(yard.kit, yard.campaign, "nucleic")
    number = resident_id(voucher.id.int % 10**6)
    await identify(yard.kit, voucher, name="王小明", id_number=number)

    def body(no: str) -> dict[str, str]:
        return {"request_no": no, "id_number": number, "voucher_type": "nucleic", "reason": "x"}

    answers = await asyncio.gather(
        *(yard.post(place, "/redemptions/manual", body(secrets.token_hex(8))) for place in range(RACERS)),
        *(
            yard.post(place, "/redemptions", {"request_no": secrets.token_hex(8), "voucher": voucher.code})
            for place in range(RACERS)
        ),
    )
    told = codes(list(answers))
    assert told[201] == 1
    assert set(told) <= {201, "already_redeemed", "no_voucher_of_holder"}


async def test_one_manual_number_sent_many_times_at_once_is_one_write_off(yard: Yard) -> None:
    vouchers = await held_vouchers(yard.kit, yard.campaign, "nucleic", 1)
    number = resident_id(vouchers[0].id.int % 10**6)
    await identify(yard.kit, vouchers[0], name="王小明", id_number=number)
    body = {"request_no": "m-same", "id_number": number, "voucher_type": "nucleic", "reason": "x"}
    answers = await asyncio.gather(
        *(yard.post(place * 2, "/redemptions/manual", body) for place in range(RACERS))
    )
    assert Counter(one.status_code for one in answers) == {201: 1, 200: RACERS - 1}
    assert len({one.content for one in answers}) == 1


async def test_a_result_and_a_reversal_that_cross_agree(yard: Yard) -> None:
    """Whoever comes first: what was reported is not undone, what was undone is not reported."""
    outcomes: Counter[tuple[object, object]] = Counter()
    vouchers = await held_vouchers(yard.kit, yard.campaign, "nucleic", 40)
    for place, voucher in enumerate(vouchers):
        no = secrets.token_hex(8)
        done = (await yard.post(0, "/redemptions", {"request_no": no, "voucher": voucher.code})).json()
        told = {
            "request_no": secrets.token_hex(8),
            "kind": "nucleic_acid_test",
            "report_no": "1",
            "result": "negative",
            "performed_at": yard.kit.clock.now().isoformat(),
        }
        undo = {"request_no": secrets.token_hex(8), "original_request_no": no, "reason": "x"}
        calls = [
            yard.post(0, f"/redemptions/{done['id']}/service-result", told),
            yard.post(2, "/reversals", undo),
        ]
        # In turn, so that each comes first now and then.
        first, second = await asyncio.gather(*(calls if place % 2 else calls[::-1]))
        reported, undone = (first, second) if place % 2 else (second, first)
        outcomes[next(iter(codes([reported]))), next(iter(codes([undone])))] += 1
    assert set(outcomes) <= {(202, "result_reported"), ("redemption_reversed", 201)}, outcomes


async def test_the_same_items_in_two_uploads_of_two_terminals_are_paid_once(yard: Yard) -> None:
    one, two = [at_both(till, yard.apps[1], yard.kit) for till in yard.tills]
    vouchers = await held_vouchers(yard.kit, yard.campaign, "nucleic", 40)
    now = yard.kit.clock.now()
    items = [
        [OfflineItem(f"{name}-{place}", voucher.code, now) for place, voucher in enumerate(order)]
        for name, order in (("a", vouchers), ("b", [*reversed(vouchers)]))
    ]
    # Each of the two sends its upload to both processes, as after a crash without an answer.
    results = await asyncio.gather(
        one[0].upload("up-a", items[0]),
        one[1].upload("up-a", items[0]),
        two[0].upload("up-b", items[1]),
        two[1].upload("up-b", items[1]),
    )
    assert results[0] == results[1]
    assert results[2] == results[3]
    told = Counter(result.outcome for upload in (results[0], results[2]) for result in upload.results)
    assert told == {"redeemed": 40, "conflict": 40}
    assert (
        await yard.one(
            "SELECT count(*) FROM redemption.redemption WHERE state = 'redeemed' AND voucher_id = ANY (:ids)",
            ids=[voucher.id for voucher in vouchers],
        )
        == 40
    )
    # The same items under another batch number: nothing new.
    again = await one[0].upload("up-c", items[0])
    assert {result.outcome for result in again.results} <= {"duplicate", "conflict"}


async def test_uploads_of_one_terminal_at_once_keep_to_its_limit(yard: Yard) -> None:
    till = await yard.staff.till(yard.tills[0].institution_id)
    twins = at_both(till, yard.apps[1], yard.kit)
    vouchers = await held_vouchers(yard.kit, yard.campaign, "nucleic", 150)
    now = yard.kit.clock.now()
    uploads = [
        [
            OfflineItem(f"c-{start + place}", one.code, now)
            for place, one in enumerate(vouchers[start : start + 30])
        ]
        for start in range(0, 150, 30)
    ]
    results = await asyncio.gather(
        *(twins[place % 2].upload(f"limit-{place}", items) for place, items in enumerate(uploads))
    )
    told = Counter(result.reason or result.outcome for upload in results for result in upload.results)
    assert told == {"redeemed": 100, "offline_cap": 50}


async def test_wrong_codes_at_once_in_two_processes_lock_once(
    settings: Settings, clock: ManualClock, yard: Yard
) -> None:
    till = await yard.staff.till(yard.tills[0].institution_id)
    strict = settings.model_copy(update={"rate_limits": "on", "wrong_codes_max": 20})
    async with (
        serving(redemption=create_app(strict, clock=clock)) as first,
        serving(redemption=create_app(strict, clock=clock)) as second,
    ):
        answers = await asyncio.gather(
            *(
                signed(
                    till,
                    (first, second)[place % 2],
                    "POST",
                    "/redemptions/verify",
                    {"voucher": make_code(place)},
                    kit=yard.kit,
                )
                for place in range(64)
            )
        )
    told = Counter(one.json().get("code", one.json().get("reason")) for one in answers)
    assert told["voucher_not_found"] == 19
    assert told["too_many_wrong_codes"] == 45
    count = "SELECT count(*) FROM redemption.lockout WHERE terminal_id = :id AND kind = 'locked'"
    assert await yard.one(count, id=till.terminal_id) == 1
