"""A terminal that guesses codes is locked for ten minutes, everywhere, and staff hear of it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median
from time import perf_counter

import httpx
import pytest
from sqlalchemy import text

from services.redemption.app import create_app
from shared.clients.terminal import OfflineItem, Refused, TerminalClient
from shared.clock import ManualClock
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef
from shared.vouchers.codes import make_code
from tests.support.http import serving
from tests.support.tills import Bureau, bureau, signed
from tests.support.vouchers import held_voucher, published

MOST = 5


@dataclass
class Street:
    """Two processes that count wrong codes together."""

    kit: Kit
    campaign: CampaignRef
    staff: Bureau
    apps: tuple[httpx.AsyncClient, httpx.AsyncClient]

    async def till(self) -> TerminalClient:
        return await self.staff.till(await self.staff.institution(self.campaign))

    async def redeem(self, till: TerminalClient, voucher: str, *, app: int = 0) -> httpx.Response:
        body = {"request_no": make_code(1), "voucher": voucher, "bill_fen": 900}
        return await signed(till, self.apps[app], "POST", "/redemptions", body, kit=self.kit)

    async def verify(self, till: TerminalClient, voucher: str, *, app: int = 0) -> httpx.Response:
        return await signed(
            till, self.apps[app], "POST", "/redemptions/verify", {"voucher": voucher}, kit=self.kit
        )


@pytest.fixture(scope="module")
async def street(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Street]:
    strict = settings.model_copy(update={"rate_limits": "on", "wrong_codes_max": MOST})
    async with AsyncExitStack() as stack:
        apps = [
            await stack.enter_async_context(serving(redemption=create_app(strict, clock=clock)))
            for _ in range(2)
        ]
        campaign = await published(kit, "honghe-street")
        yield Street(kit, campaign, await bureau(apps[0], kit), (apps[0], apps[1]))


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", answer.json().get("reason"))


async def test_locked_after_too_many_and_let_in_again_when_the_time_is_over(
    street: Street, clock: ManualClock
) -> None:
    till = await street.till()
    told = [code(await street.redeem(till, make_code(place))) for place in range(MOST)]
    assert told == [(404, "voucher_not_found")] * (MOST - 1) + [(429, "too_many_wrong_codes")]
    good = await held_voucher(street.kit, street.campaign)
    # In this process at once, for good codes and bad ones alike; how long is told.
    locked = await street.redeem(till, good.code)
    assert code(locked) == (429, "too_many_wrong_codes")
    assert 0 < int(locked.headers["Retry-After"]) <= 600
    assert code(await street.verify(till, good.code)) == (429, "too_many_wrong_codes")
    clock.advance(minutes=10)
    assert (await street.redeem(till, good.code)).status_code == 201


async def test_client_of_a_locked_till_is_told_and_does_not_try_again(street: Street) -> None:
    till = await street.till()
    for place in range(MOST):
        await street.redeem(till, make_code(place))
    with pytest.raises(Refused) as refused:
        await till.verify("x")
    assert refused.value.code == "too_many_wrong_codes"


async def test_the_other_process_and_one_that_starts_later_know(
    street: Street, settings: Settings, clock: ManualClock
) -> None:
    till = await street.till()
    for place in range(MOST):
        await street.redeem(till, make_code(place), app=place % 2)
    good = await held_voucher(street.kit, street.campaign)
    strict = settings.model_copy(update={"rate_limits": "on", "wrong_codes_max": MOST})
    async with serving(redemption=create_app(strict, clock=clock)) as later:
        body = {"request_no": "later-1", "voucher": good.code, "bill_fen": 900}
        answer = await signed(till, later, "POST", "/redemptions", body, kit=street.kit)
        assert code(answer) == (429, "too_many_wrong_codes")
    # One that has not heard yet tells nobody more: its next wrong code is answered like the others.
    assert code(await street.redeem(till, make_code(9), app=1)) == (429, "too_many_wrong_codes")


async def test_looking_and_uploading_count_too(street: Street) -> None:
    till = await street.till()
    for place in range(MOST - 2):
        assert (await street.verify(till, make_code(place))).json()["reason"] == "voucher_not_found"
    now = street.kit.clock.now()
    items = [OfflineItem(f"off-{place}", make_code(place), now) for place in range(2)]
    done = await till.upload("guesses", items)
    assert [result.reason for result in done.results] == ["voucher_not_found"] * 2
    body = {"batch_no": "more", "items": [{"request_no": "x", "voucher": "x", "used_at": now.isoformat()}]}
    locked = await signed(till, street.apps[0], "POST", "/batches", body, kit=street.kit)
    assert code(locked) == (429, "too_many_wrong_codes")


async def test_a_locked_till_may_still_reverse_and_check_in(street: Street) -> None:
    till = await street.till()
    good = await held_voucher(street.kit, street.campaign)
    done = await till.redeem(good.code, 900)
    for place in range(MOST):
        await street.redeem(till, make_code(place))
    assert (await till.reverse(done.request_no, "x")).status == "reversed"
    assert await till.check_in()


async def test_few_wrong_codes_in_a_long_time_lock_nobody(street: Street, clock: ManualClock) -> None:
    till = await street.till()
    for place in range(2 * MOST):
        assert code(await street.redeem(till, make_code(place))) == (404, "voucher_not_found")
        clock.advance(minutes=3)


async def test_staff_unlock_it_and_see_what_happened(street: Street, kit: Kit) -> None:
    till = await street.till()
    for place in range(MOST):
        await street.redeem(till, make_code(place))
    async with kit.database.snapshot() as tx:
        case = (
            await tx.execute(
                text("SELECT * FROM redemption.risk_case WHERE terminal_id = :id AND kind = 'wrong_codes'"),
                {"id": till.terminal_id},
            )
        ).one()
    assert (case.status, case.evidence["wrong_codes"]) == ("open", MOST)
    figures = (await street.apps[0].get("/redemption/metrics", headers=METRICS)).text
    values = dict(
        line.split(" ") for line in figures.splitlines() if line.startswith(("hv_wrong", "hv_term"))
    )
    assert float(values["hv_terminals_locked"]) >= 1
    assert float(values["hv_wrong_codes_total"]) >= MOST
    done = await street.staff.post(f"/terminals/{till.terminal_id}/unlock", {"reason": "培训店员"})
    assert (done.status_code, done.json()["locked"]) == (200, False)
    good = await held_voucher(street.kit, street.campaign)
    # This process still remembers for two seconds at the most; a new key is looked up at once.
    await till.check_in()
    assert (await street.redeem(till, good.code)).status_code == 201
    items = (await street.staff.get("/lockouts")).json()["items"]
    mine = [item["kind"] for item in items if item["terminal_id"] == till.terminal_id]
    assert sorted(mine) == ["locked", "unlocked"]
    unknown = await street.staff.post("/terminals/trm_000000000000/unlock", {"reason": "x"})
    assert code(unknown) == (404, "not_found")


METRICS = {"Authorization": "Bearer metrics-token-of-the-tests"}


async def test_good_write_offs_leave_no_trace_in_the_count(street: Street, kit: Kit) -> None:
    till = await street.till()
    for _ in range(3):
        await till.redeem((await held_voucher(street.kit, street.campaign)).code, 900)
    async with kit.database.snapshot() as tx:
        found = await tx.execute(
            text("SELECT total FROM redemption.wrong_codes WHERE terminal_id = :id"), {"id": till.terminal_id}
        )
        assert found.all() == []


async def test_unknown_and_malformed_codes_take_alike(
    http: httpx.AsyncClient, kit: Kit, staff: Bureau, campaign: CampaignRef
) -> None:
    """Without limits, in turn: the medians are of one size, so that the time tells nothing."""
    till = await staff.till(await staff.institution(campaign))
    seconds: dict[str, list[float]] = {"unknown": [], "malformed": []}
    for place in range(120):
        for kind, voucher in (("unknown", make_code(place)), ("malformed", "0" * 16)):
            started = perf_counter()
            await signed(till, http, "POST", "/redemptions/verify", {"voucher": voucher}, kit=kit)
            seconds[kind].append(perf_counter() - started)
    one, other = median(seconds["unknown"]), median(seconds["malformed"])
    assert 0.5 < one / other < 2
