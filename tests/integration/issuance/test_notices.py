"""The inbox: one notice for each cause, reminders once, whatever the clock does."""

from typing import Any

import httpx
import pytest

from services.issuance.wiring import Wiring, build
from services.issuance.worker import parts
from shared.clock import ManualClock
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.outbox import OutboxItem, add
from shared.vouchers.offline import LATE_ARRIVAL
from tests.support.citizens import Hands, new_person
from tests.support.desk import Desk
from tests.support.drain import drain
from tests.support.held import Held, another, held_voucher, redeem, refused, rows, run, winner
from tests.support.ways import SHARE, Partaker, open_ways, reviewed

pytestmark = pytest.mark.usefixtures("clock_returns")

RESTORE = """
    SELECT * FROM core.vouchers_restore(
        ARRAY[1], ARRAY[CAST(:bucket AS smallint)], ARRAY[CAST(:id AS uuid)], ARRAY['clinic-7'],
        ARRAY['terminal:1'],
        ARRAY(SELECT source_id FROM core.ledger_transfer WHERE voucher_id = :id AND kind = 'redeem'), :now)
"""


@pytest.fixture
def wiring(kit: Kit) -> Wiring:
    return build(kit)


async def inbox(hands: Hands, **headers: str) -> list[dict[str, Any]]:
    url, own = "/issuance/v1/me/notices", hands.person.headers
    answer = await hands.client.get(url, params={"limit": 200}, headers={**own, **headers})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def kinds(hands: Hands) -> list[str]:
    return sorted(item["kind"] for item in await inbox(hands))


async def happened(kit: Kit, held: Held, kind: Kind) -> None:
    async with kit.database.transaction() as tx:
        await add(tx, "issuance", kind, {"voucher_id": held.id}, bucket=held.address.bucket)


async def test_what_happened_is_told_newest_first_in_the_readers_language(
    client: httpx.AsyncClient, wiring: Wiring, clock: ManualClock
) -> None:
    kit = wiring.kit
    held = await held_voucher(client, kit, clock)
    await drain(kit, parts(wiring))
    clock.advance(minutes=1)
    await happened(kit, held, Kind.VOUCHER_REDEEMED)
    await drain(kit, parts(wiring))
    used, got = await inbox(held.hands)
    assert (used["kind"], got["kind"]) == ("redeemed", "issued")
    assert got == {
        "id": got["id"],
        "kind": "issued",
        "title": "消费券已到账",
        "text": "您已领取“fitness券”，请于2020年12月30日 10:00前使用。",
        "at": "2020-10-31T10:00:01+08:00",
        "campaign": held.campaign.slug,
        "voucher_id": held.id,
        "award_id": None,
        "activity_id": None,
        "read": False,
    }
    assert held.voucher["code"] not in str(await inbox(held.hands))
    english = await inbox(held.hands, **{"Accept-Language": "en"})
    assert english[1]["text"] == "You have a voucher “fitness券”. Use it before 2020-12-30 10:00."
    page = (await held.hands.get("/me/notices?limit=1")).json()
    rest = (await held.hands.get(f"/me/notices?limit=1&cursor={page['next_cursor']}")).json()
    assert [*page["items"], *rest["items"]] == [used, got]
    assert rest["next_cursor"] is None
    stranger = Hands(client, await new_person(kit))
    assert await inbox(stranger) == []
    refused(await client.get("/issuance/v1/me/notices"), 401, "unauthenticated")


async def test_sms_is_refused_where_the_platform_sends_none(client: httpx.AsyncClient, kit: Kit) -> None:
    hands = Hands(client, await new_person(kit))
    url, own = "/issuance/v1/me/notice-preferences", hands.person.headers
    wanted = {"sms": {"enabled": True, "phone": "13800138000"}}
    refused(await client.put(url, json=wanted, headers=own), 409, "sms_not_offered")
    shown = (await client.put(url, json={"language": "en"}, headers=own)).json()
    assert shown == {
        "language": "en",
        "sms": {"available": False, "enabled": False, "phone_masked": None, "pending": None, "kinds": []},
        "wechat": {"available": False, "templates": []},
    }


async def test_a_review_is_told_with_its_reason(
    client: httpx.AsyncClient, wiring: Wiring, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_ways(wiring.kit, clock, share={"review": True, "per_day": None, "chances": 1})
    someone = Partaker(client, await new_person(wiring.kit))
    good, bad = [
        await someone.send(campaign.slug, "share", SHARE | {"url": f"https://x.cn/{place}"})
        for place in range(2)
    ]
    await reviewed(desk, good)
    await reviewed(desk, bad, "reject", note="链接打不开")
    await drain(wiring.kit, parts(wiring))
    told = {item["activity_id"]: item for item in await inbox(Hands(client, someone.person))}
    assert (told[good]["kind"], told[bad]["kind"]) == ("activity_accepted", "activity_rejected")
    assert told[bad]["text"].endswith("未通过审核。原因：链接打不开")
    items = await rows(
        wiring.kit, "SELECT bucket, id, activity_id FROM issuance.notice WHERE kind = 'activity_rejected'"
    )
    # The same job once more, and the same decision under another row: told once.
    async with wiring.kit.database.transaction() as tx:
        for row_id in (items[0].id, items[0].activity_id):
            again = OutboxItem(items[0].bucket, row_id, Kind.ACTIVITY_DECIDED, {"activity_id": bad}, 2)
            await wiring.notices.record_decisions(tx, [again])
    assert len(await inbox(Hands(client, someone.person))) == 2


async def test_a_voucher_is_reminded_of_seven_days_and_one_day_before_its_end_once_each(
    client: httpx.AsyncClient, wiring: Wiring, clock: ManualClock
) -> None:
    kit = wiring.kit
    held = await held_voucher(client, kit, clock)
    used = await another(held.hands, held.campaign)
    await redeem(kit, used.address)
    clock.advance(days=53, seconds=-1)
    await wiring.notices.remind()
    assert await kinds(held.hands) == []
    clock.advance(seconds=1)
    for advanced in ({}, {}, {"days": 6}, {"days": 1}, {"days": 1}):
        clock.advance(**advanced)
        await wiring.notices.remind()
    told = await inbox(held.hands)
    assert [(item["kind"], item["voucher_id"]) for item in told] == [("expiring", held.id)] * 2
    days = await rows(kit, "SELECT days FROM issuance.notice WHERE voucher_id = :id", id=held.address.uuid)
    assert sorted(row.days for row in days) == [1, 7]


@pytest.mark.parametrize(
    ("jump", "told"),
    [({"days": 52}, []), ({"days": 54}, [7]), ({"days": 59, "hours": 12}, [1]), ({"days": 61}, [])],
)
async def test_a_clock_that_jumps_reminds_of_what_is_left_and_not_of_what_was_missed(
    client: httpx.AsyncClient, wiring: Wiring, clock: ManualClock, jump: dict[str, float], told: list[int]
) -> None:
    kit = wiring.kit
    held = await held_voucher(client, kit, clock)
    await wiring.notices.remind()
    clock.advance(**jump)
    for _ in range(3):
        await wiring.notices.remind()
    days = await rows(
        kit,
        "SELECT days FROM issuance.notice WHERE voucher_id = :id AND kind = 'expiring'",
        id=held.address.uuid,
    )
    assert [row.days for row in days] == told


async def test_a_voucher_that_was_issued_with_less_time_is_not_reminded_at_once(
    client: httpx.AsyncClient, wiring: Wiring, clock: ManualClock
) -> None:
    held = await held_voucher(client, wiring.kit, clock)
    sooner = "UPDATE core.voucher SET valid_until = issued_at + interval '5 days' WHERE id = :id"
    await run(wiring.kit, sooner, id=held.address.uuid)
    await wiring.notices.remind()
    assert await kinds(held.hands) == []
    clock.advance(days=4)
    await wiring.notices.remind()
    assert await kinds(held.hands) == ["expiring"]


async def test_a_row_that_was_under_way_during_a_pass_is_found_by_the_next(
    client: httpx.AsyncClient, wiring: Wiring, clock: ManualClock
) -> None:
    kit = wiring.kit
    held = await held_voucher(client, kit, clock)
    clock.advance(days=54)
    # As if its claim had not been committed yet when the pass went by.
    hide = "UPDATE core.voucher SET state = :state WHERE id = :id"
    await run(kit, hide, state="expired", id=held.address.uuid)
    await wiring.notices.remind()
    assert await kinds(held.hands) == []
    await run(kit, hide, state="issued", id=held.address.uuid)
    await wiring.notices.remind()
    assert await kinds(held.hands) == ["expiring"]


async def test_a_win_is_told_while_it_waits_and_once_more_before_it_expires(
    client: httpx.AsyncClient, wiring: Wiring, clock: ManualClock
) -> None:
    kit = wiring.kit
    hands, campaign = await winner(client, kit, clock)
    award = await hands.win(campaign.slug)
    claimed = await another(hands, campaign)
    await wiring.notices.remind()
    assert await kinds(hands) == ["award_won"]  # the claimed one is in the wallet already
    clock.advance(days=2, seconds=-1)
    await wiring.notices.remind()
    assert await kinds(hands) == ["award_won"]
    clock.advance(seconds=1)
    for _ in range(3):
        await wiring.notices.remind()
    told = [(item["kind"], item["award_id"]) for item in await inbox(hands)]
    assert told == [("award_expiring", award), ("award_won", award)]
    clock.advance(days=2)
    await wiring.lottery.expire_awards()
    await wiring.notices.remind()
    assert len(await inbox(hands)) == 2
    assert claimed.voucher["status"] == "issued"


async def test_a_voucher_given_back_after_its_end_expires_with_its_notice(
    client: httpx.AsyncClient, wiring: Wiring, clock: ManualClock
) -> None:
    kit = wiring.kit
    held = await held_voucher(client, kit, clock)
    await redeem(kit, held.address)
    await drain(kit, parts(wiring))
    clock.advance(days=60, seconds=LATE_ARRIVAL.total_seconds() + 1)
    for _ in range(3):  # the walk is past it for good
        await wiring.wallet.expire_vouchers()
    address = {"bucket": held.address.bucket, "id": held.address.uuid}
    await run(kit, RESTORE, **address, now=clock.now())
    assert await wiring.wallet.expire_vouchers() == 0
    await happened(kit, held, Kind.VOUCHER_RESTORED)
    await drain(kit, parts(wiring))
    [row] = await rows(kit, "SELECT state FROM core.voucher WHERE id = :id", id=held.address.uuid)
    assert row.state == "expired"


async def test_what_was_read_is_marked_and_the_rest_counted(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    held = await held_voucher(client, kit, clock)
    hands = held.hands
    await drain(kit, parts(build(kit)))
    for kind in (Kind.VOUCHER_REDEEMED, Kind.VOUCHER_RESTORED):
        clock.advance(minutes=1)
        await happened(kit, held, kind)
        await drain(kit, parts(build(kit)))
    shown = (await hands.get("/me/notices?limit=1")).json()
    assert (shown["unread"], [item["read"] for item in shown["items"]]) == (3, [False])
    newest, middle, oldest = (item["id"] for item in await inbox(hands))

    async def read(up_to: str) -> httpx.Response:
        url = "/issuance/v1/me/notices/read"
        return await client.post(url, json={"up_to": up_to}, headers=hands.person.headers)

    assert (await read(middle)).json() == {"unread": 1}
    assert [item["read"] for item in await inbox(hands)] == [False, True, True]
    # It never goes back, and again is the same.
    assert (await read(oldest)).json() == {"unread": 1}
    assert (await read(middle)).json() == {"unread": 1}
    assert (await read(newest)).json() == {"unread": 0}
    clock.advance(minutes=1)
    await happened(kit, held, Kind.VOUCHER_REDEEMED)
    await drain(kit, parts(build(kit)))
    assert [item["read"] for item in await inbox(hands)] == [False, True, True, True]
    stranger = Hands(client, await new_person(kit))
    url = "/issuance/v1/me/notices/read"
    theirs = await client.post(url, json={"up_to": newest}, headers=stranger.person.headers)
    refused(theirs, 404, "not_found")
    refused(await read("nonsense"), 404, "not_found")
