"""Claims and vouchers over HTTP."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
import segno
from sqlalchemy import text

from services.issuance.wallet import operations
from services.issuance.wiring import build
from shared.clock import ManualClock
from shared.ids import parse_hot_id
from shared.kit import Kit
from shared.metrics import store as metrics
from shared.vouchers import codes
from shared.vouchers.offline import LATE_ARRIVAL
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, give_chances, new_person
from tests.support.desk import Desk

pytestmark = pytest.mark.usefixtures("clock_returns")

UNKNOWN = "00" + "0" * 32
REDEEM = """
    SELECT * FROM core.vouchers_redeem(
        ARRAY[1], ARRAY[CAST(:bucket AS smallint)], ARRAY[CAST(:id AS uuid)], ARRAY['clinic-7'],
        ARRAY['terminal:1'], ARRAY[gen_random_uuid()], ARRAY[CAST(:now AS timestamptz)],
        ARRAY[CAST(9999999 AS bigint)], :now)
"""


@pytest.fixture
async def hands(client: httpx.AsyncClient, kit: Kit) -> Hands:
    return Hands(client, await new_person(kit))


async def with_chances(kit: Kit, clock: ManualClock, hands: Hands, count: int = 2, **parts: Any) -> Published:  # noqa: ANN401 - parts of a definition
    campaign = await open_campaign(kit, clock, odds="1", **parts)
    await give_chances(kit, hands.person, campaign, count)
    return campaign


async def held(hands: Hands, campaign: Published, voucher_type: str = "fitness") -> dict[str, Any]:
    claimed = await hands.claim(await hands.win(campaign.slug), voucher_type)
    assert claimed.status_code == 201, claimed.text
    voucher: dict[str, Any] = claimed.json()
    return voucher


async def rows(kit: Kit, sql: str, **values: object) -> list[tuple[Any, ...]]:
    async with kit.database.transaction() as tx:
        return [tuple(row) for row in await tx.execute(text(sql), values)]


async def run(kit: Kit, sql: str, **values: object) -> None:
    async with kit.database.transaction() as tx:
        await tx.execute(text(sql), values)


async def redeem(kit: Kit, voucher: dict[str, Any]) -> None:
    address = parse_hot_id(voucher["id"])
    await run(kit, REDEEM, bucket=address.bucket, id=address.uuid, now=kit.clock.now())


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


@pytest.mark.parametrize(("voucher_type", "face_value_fen"), [("checkup", None), ("general_50", 5_000)])
async def test_an_award_becomes_a_voucher_with_money_and_everything_that_follows(
    hands: Hands, kit: Kit, clock: ManualClock, voucher_type: str, face_value_fen: int | None
) -> None:
    kind = "general" if face_value_fen else "directed"
    campaign = await with_chances(kit, clock, hands, stock={"checkup": 3, "general_50": 3})
    voucher = await held(hands, campaign, voucher_type)
    assert {name: voucher[name] for name in voucher if name not in {"id", "code"}} == {
        "campaign": campaign.slug,
        "voucher_type": voucher_type,
        "name": f"{voucher_type}券",
        "kind": kind,
        "status": "issued",
        "face_value_fen": face_value_fen,
        "valid_from": "2020-10-31T10:00:01+08:00",
        "valid_until": "2020-12-30T10:00:01+08:00",
        "redeemed_at": None,
        "institution": None,
    }
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}", voucher["code"])
    code, address = codes.normalise(voucher["code"]), parse_hot_id(voucher["id"])
    assert code is not None
    [(bucket, hashed, sealed, person)] = await rows(
        kit,
        "SELECT bucket, code_hash, code_sealed, person_id FROM core.voucher WHERE id = :id",
        id=address.uuid,
    )
    assert (bucket, person) == (address.bucket, hands.person.address.uuid)
    assert hashed == codes.code_hash(kit.keys.index, code)
    assert code.encode() not in sealed
    [award] = (await hands.get("/me/awards")).json()["items"]
    assert (award["state"], award["voucher_id"], award["voucher_type"]) == (
        "claimed",
        voucher["id"],
        voucher_type,
    )

    stock = "SELECT remaining, issued FROM issuance.phase_stock WHERE phase_id = :id AND voucher_type = :key"
    assert await rows(kit, stock, id=campaign.phases[0], key=voucher_type) == [(2, 1)]
    pool = "SELECT left_to_award FROM issuance.award_pool WHERE phase_id = :id"
    assert await rows(kit, pool, id=campaign.phases[0]) == [(5,)]
    moved = "SELECT kind, debit, credit FROM core.ledger_transfer WHERE voucher_id = :id"
    assert await rows(kit, moved, id=address.uuid) == [("issue", "available", "committed")]
    told = "SELECT queue, kind, payload FROM core.outbox WHERE payload ->> 'voucher_id' = :id"
    assert await rows(kit, told, id=voucher["id"]) == [
        ("issuance", "issuance.voucher_issued", {"voucher_id": voucher["id"]})
    ]
    async with kit.database.snapshot() as tx:
        [figure] = await metrics.figures(tx, [campaign.id], ["issue"])
    assert (figure.dim, figure.n, figure.fen) == (voucher_type, 1, 30_000 if kind == "directed" else 5_000)


async def test_a_repeated_claim_is_answered_as_the_first_time_whatever_became_of_the_voucher(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await with_chances(kit, clock, hands)
    award = await hands.win(campaign.slug)
    first = await hands.claim(award, "fitness", "r1")
    await redeem(kit, first.json())
    clock.advance(days=20)
    again = await hands.claim(award, "fitness", "r1")
    assert (again.status_code, again.headers["idempotent-replay"]) == (200, "true")
    assert again.json() == first.json()
    refused(await hands.claim(award, "checkup", "r1"), 409, "request_no_reused")
    assert len((await hands.get("/me/vouchers")).json()["items"]) == 1


async def test_claims_are_refused_by_name_and_leave_the_award_open(
    client: httpx.AsyncClient, hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    stock, limits = {"fitness": 5, "checkup": 1}, {"vouchers_per_phase": 3}
    campaign = await with_chances(kit, clock, hands, 3, stock=stock, limits=limits)
    one, two, three = [await hands.win(campaign.slug) for _ in range(3)]
    stranger = Hands(client, await new_person(kit))

    for unknown in (UNKNOWN, "x", one[:-1]):
        refused(await hands.claim(unknown, "fitness"), 404, "not_found")
    refused(await stranger.claim(one, "fitness"), 404, "not_found")
    unknown_type = await hands.claim(one, "massage")
    refused(unknown_type, 422, "invalid_request")
    assert unknown_type.json()["errors"][0]["loc"] == "body.voucher_type"
    refused(await hands.claim(one, "general_50", "r1"), 409, "out_of_stock")  # none was ever put in
    assert (await hands.claim(one, "checkup", "r1")).status_code == 201
    refused(await hands.claim(two, "checkup", "r2"), 409, "out_of_stock")
    refused(await hands.claim(one, "fitness", "r2"), 409, "award_already_claimed")
    refused(await hands.claim(one, "massage", "r2"), 422, "invalid_request")
    assert (await hands.claim(two, "fitness", "r2")).status_code == 201  # open still, for another type
    lower = "UPDATE issuance.campaign_rules SET vouchers_per_phase = 2 WHERE campaign_id = :id"
    await run(kit, lower, id=campaign.id)
    refused(await hands.claim(three, "fitness", "r3"), 409, "limit_reached")
    clock.advance(days=3)
    refused(await hands.claim(three, "fitness", "r3"), 409, "award_expired")
    await build(kit).lottery.expire_awards()
    refused(await hands.claim(three, "fitness", "r3"), 409, "award_expired")
    refused(await hands.claim(two, "fitness", "r3"), 409, "award_already_claimed")
    [(requests,)] = await rows(
        kit, "SELECT count(*) FROM core.request WHERE caller_id = :id AND operation = 'claim'",
        id=hands.person.address.uuid,
    )  # fmt: skip
    assert requests == 2


async def test_an_award_can_be_claimed_while_paused_and_after_its_phase(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await with_chances(kit, clock, hands, lasts=timedelta(days=1))
    one, two = [await hands.win(campaign.slug) for _ in range(2)]
    await run(kit, "UPDATE core.campaign SET status = 'paused' WHERE id = :id", id=campaign.id)
    assert (await hands.claim(one, "fitness")).status_code == 201
    clock.set(campaign.closes_at + timedelta(hours=1))
    assert (await hands.claim(two, "fitness")).status_code == 201


async def test_two_codes_that_are_equal_never_become_two_vouchers(
    hands: Hands, kit: Kit, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = await with_chances(kit, clock, hands)
    first = await held(hands, campaign)
    drawn = iter([codes.normalise(first["code"])])
    monkeypatch.setattr(operations, "make_code", lambda bucket: next(drawn, None) or codes.make_code(bucket))
    award = await hands.win(campaign.slug)
    second = await hands.claim(award, "fitness")
    assert second.status_code == 201
    assert second.json()["code"] != first["code"]
    assert next(drawn, None) is None, "the code that was taken was not tried"


async def test_the_wallet_shows_ones_own_vouchers_newest_first_and_nobody_elses(
    client: httpx.AsyncClient, hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await with_chances(kit, clock, hands, 3, limits={"vouchers_per_phase": 3})
    made = []
    for _ in range(3):
        made.append(await held(hands, campaign))
        clock.advance(seconds=1)
    page = (await hands.get("/me/vouchers?limit=2")).json()
    rest = (await hands.get(f"/me/vouchers?limit=2&cursor={page['next_cursor']}")).json()
    assert [*page["items"], *rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None
    assert (await hands.get(f"/me/vouchers/{made[0]['id']}")).json() == made[0]
    assert (await hands.get(f"/me/vouchers?campaign={campaign.slug}")).json()["items"] == made[::-1]
    assert (await hands.get("/me/vouchers?campaign=another")).json()["items"] == []

    stranger = Hands(client, await new_person(kit))
    assert (await stranger.get("/me/vouchers")).json() == {"items": [], "next_cursor": None}
    for number in (made[0]["id"], UNKNOWN, "x", made[0]["id"].lower() + "0"):
        for path in ("", "/token", "/qr.svg"):
            refused(await stranger.get(f"/me/vouchers/{number}{path}"), 404, "not_found")
            refused(await client.get(f"/issuance/v1/me/vouchers/{number}{path}"), 401, "unauthenticated")
    refused(await hands.get("/me/vouchers?cursor=x"), 422, "invalid_request")


async def test_the_token_rotates_and_resolves_to_its_voucher_for_a_minute(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await with_chances(kit, clock, hands)
    voucher = await held(hands, campaign)
    told = (await hands.get(f"/me/vouchers/{voucher['id']}/token")).json()
    assert told["expires_at"] == "2020-10-31T10:01:00+08:00"

    def resolved(token: str) -> codes.Presented | None:
        return codes.resolve(token, index=kit.keys.index, token_key=kit.keys.token, now=clock.now())

    by_code = resolved(voucher["code"])
    assert by_code is not None
    assert resolved(told["token"]) == by_code
    clock.advance(seconds=58)
    assert resolved(told["token"]) == by_code
    assert (await hands.get(f"/me/vouchers/{voucher['id']}/token")).json()["token"] != told["token"]
    clock.advance(seconds=2)
    late = resolved(told["token"])
    assert late is not None
    assert late.expired


async def test_the_picture_is_the_token_with_a_quiet_zone(hands: Hands, kit: Kit, clock: ManualClock) -> None:
    campaign = await with_chances(kit, clock, hands)
    voucher = await held(hands, campaign)
    token = (await hands.get(f"/me/vouchers/{voucher['id']}/token")).json()["token"]
    picture = await hands.get(f"/me/vouchers/{voucher['id']}/qr.svg")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")
    assert picture.headers["cache-control"] == "no-store"
    code = segno.make(token, error="m")
    assert code.mode == "alphanumeric"
    side = len(code.matrix) + 8
    assert f'viewBox="0 0 {side} {side}"' in picture.text
    assert dark_modules(picture.text) == {
        (row, column)
        for row, line in enumerate(code.matrix, 4)
        for column, dark in enumerate(line, 4)
        if dark
    }


def dark_modules(svg: str) -> set[tuple[int, int]]:
    """Follows the strokes of segno's path: `M x y`, `h length`, `m dx dy`."""
    [path] = re.findall(r'<path class="qrline" stroke="#000" d="([^"]+)"', svg)
    x, y, found = 0.0, 0.0, set()
    for kind, arguments in re.findall(r"([Mmh])([^Mmh]*)", path):
        numbers = [float(number) for number in re.findall(r"-?[0-9.]+", arguments)]
        if kind == "h":
            found |= {(int(y), int(x) + step) for step in range(int(numbers[0]))}
            x += numbers[0]
        else:
            x, y = (numbers[0], numbers[1]) if kind == "M" else (x + numbers[0], y + numbers[1])
    return found


async def test_a_voucher_past_its_time_is_expired_at_once_and_its_value_returns_with_the_job(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await with_chances(kit, clock, hands)
    used, unused = await held(hands, campaign), await held(hands, campaign, "checkup")
    await redeem(kit, used)
    clock.advance(days=60, seconds=-1)
    assert (await hands.get(f"/me/vouchers/{unused['id']}")).json()["status"] == "issued"
    clock.advance(seconds=1)
    assert (await hands.get(f"/me/vouchers/{unused['id']}")).json()["status"] == "expired"
    shown = (await hands.get(f"/me/vouchers/{used['id']}")).json()
    assert (shown["status"], shown["institution"]) == ("redeemed", {"id": "clinic-7"})
    assert shown["redeemed_at"] == "2020-10-31T10:00:01+08:00"

    # A till without a line may still bring a write-off from when the voucher was good.
    await build(kit).wallet.expire_vouchers()
    states = "SELECT voucher_type, state FROM core.voucher WHERE campaign_id = :id ORDER BY 1"
    assert await rows(kit, states, id=campaign.id) == [("checkup", "issued"), ("fitness", "redeemed")]
    clock.advance(seconds=LATE_ARRIVAL.total_seconds())
    assert await build(kit).wallet.expire_vouchers() >= 1
    assert await build(kit).wallet.expire_vouchers() == 0
    assert await rows(kit, states, id=campaign.id) == [("checkup", "expired"), ("fitness", "redeemed")]
    back = (
        "SELECT kind, core.amounts_total(amounts_fen) FROM core.ledger_transfer"
        " WHERE voucher_id = :id ORDER BY at"
    )
    assert await rows(kit, back, id=parse_hot_id(unused["id"]).uuid) == [
        ("issue", 30_000),
        ("expire", 30_000),
    ]


async def test_a_claim_needs_a_citizen_and_a_sound_body(
    client: httpx.AsyncClient, hands: Hands, desk: Desk
) -> None:
    url = f"/issuance/v1/awards/{UNKNOWN}/claim"
    body = {"request_no": "r1", "voucher_type": "fitness"}
    for headers in ({}, desk.one):
        refused(await client.post(url, json=body, headers=headers), 401, "unauthenticated")
    for wrong in (
        {},
        {"request_no": "r1"},
        body | {"voucher_type": ""},
        body | {"more": 1},
        body | {"request_no": ""},
    ):
        answer = await client.post(url, json=wrong, headers=hands.person.headers)
        refused(answer, 422, "invalid_request")
