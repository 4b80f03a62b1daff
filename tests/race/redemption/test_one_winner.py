"""Many tills, two processes, one voucher: of all that race for it exactly one wins."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import asyncpg
import pytest
from sqlalchemy import make_url, text

from services.redemption.writeoff import store as writeoffs
from shared.clients.terminal import OfflineItem, Redemption, Refused, Reversal, TerminalClient
from shared.idempotency import Caller, fingerprint
from shared.ids import bucket_from_symbols
from shared.settings import Settings
from shared.vouchers.codes import code_hash
from tests.race.redemption.conftest import Town, at_both
from tests.support.tills import signed
from tests.support.vouchers import held_voucher, held_vouchers

CONNECTIONS = 64
T = TypeVar("T")


async def all_at_once(calls: Sequence[Awaitable[T]]) -> list[T | Refused]:
    """What each call answered, or what it was refused with."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    found: list[T | Refused] = []
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, Refused):
            raise result
        found.append(result)
    return found


def words(results: Sequence[object]) -> Counter[str]:
    return Counter(result.code if isinstance(result, Refused) else "done" for result in results)


async def one(town: Town, statement: str, **values: object) -> Any:  # noqa: ANN401 - of any column
    async with town.kit.database.snapshot() as tx:
        return (await tx.execute(text(statement), values)).scalar_one()


async def test_one_voucher_and_64_tries(town: Town) -> None:
    for _ in range(5):
        voucher = await held_voucher(town.kit, town.campaign)
        results = await all_at_once(
            [town.at(place).redeem(voucher.code, 3_000) for place in range(CONNECTIONS)]
        )
        assert words(results) == {"done": 1, "already_redeemed": CONNECTIONS - 1}


async def test_code_and_token_at_once(town: Town) -> None:
    voucher = await held_voucher(town.kit, town.campaign)
    shown = (voucher.code, voucher.token(town.kit))
    results = await all_at_once(
        [town.at(place).redeem(shown[place // 4 % 2], 3_000) for place in range(CONNECTIONS)]
    )
    assert words(results) == {"done": 1, "already_redeemed": CONNECTIONS - 1}


async def test_a_thousand_vouchers_and_three_tries_each(town: Town) -> None:
    vouchers = await held_vouchers(town.kit, town.campaign, "fitness", 1_000)
    before = await one(town, "SELECT count(*) FROM redemption.redemption")
    line = asyncio.Semaphore(CONNECTIONS)

    async def try_once(place: int, code: str) -> Redemption:
        async with line:
            return await town.at(place).redeem(code)

    tries = [voucher.code for _ in range(3) for voucher in vouchers]
    results = await all_at_once([try_once(place, code) for place, code in enumerate(tries)])
    assert words(results) == {"done": 1_000, "already_redeemed": 2_000}
    assert await one(town, "SELECT count(*) FROM redemption.redemption") == before + 1_000


async def test_same_request_at_once_has_one_effect_and_one_answer(town: Town) -> None:
    voucher, no = await held_voucher(town.kit, town.campaign), secrets.token_hex(8)
    body = {"request_no": no, "voucher": voucher.code, "bill_fen": 3_000}
    answers = await asyncio.gather(
        *(
            signed(town.tills[0][0], town.apps[place % 2], "POST", "/redemptions", body, kit=town.kit)
            for place in range(CONNECTIONS)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: CONNECTIONS - 1}
    assert len({answer.content for answer in answers}) == 1
    assert (
        await one(town, "SELECT replays FROM core.request WHERE request_no = :no", no=no) == CONNECTIONS - 1
    )


async def test_one_number_for_many_vouchers_writes_one_off(town: Town) -> None:
    vouchers, no = await held_vouchers(town.kit, town.campaign, "fitness", 32), secrets.token_hex(8)
    results = await all_at_once(
        [town.tills[0][place % 2].redeem(one.code, request_no=no) for place, one in enumerate(vouchers)]
    )
    assert words(results) == {"done": 1, "request_no_reused": 31}


async def test_reversal_crosses_its_original(town: Town) -> None:
    """Whoever comes first, the voucher is free in the end and the original is not live."""
    outcomes: Counter[tuple[str, str]] = Counter()
    vouchers = await held_vouchers(town.kit, town.campaign, "fitness", 120)
    for place, voucher in enumerate(vouchers):
        no = secrets.token_hex(8)
        # The own terminal or the other one of the institution, in this process or in the other.
        reverser = town.tills[place % 2][place // 2 % 2]
        redeem, reverse = town.tills[0][0].redeem(voucher.code, request_no=no), reverser.reverse(no, "x")
        # Who sets out first alternates, or the quicker call would always win.
        calls: list[Awaitable[Redemption | Reversal]] = [redeem, reverse]
        step = -1 if place // 4 % 2 else 1
        redeemed, undone = (await all_at_once(calls[::step]))[::step]
        assert isinstance(undone, Reversal)
        arrived = "done" if isinstance(redeemed, Redemption) else redeemed.code  # type: ignore[union-attr] # else refused
        outcomes[arrived, undone.status] += 1
        assert (await town.tills[0][0].verify(voucher.code)).redeemable
    assert set(outcomes) <= {("done", "reversed"), ("reversed_before_arrival", "blocked")}
    assert len(outcomes) == 2, f"the race never went both ways: {outcomes}"


async def test_many_reversals_of_one_write_off(town: Town) -> None:
    voucher = await held_voucher(town.kit, town.campaign, "fitness")
    done = await town.at(0).redeem(voucher.code)
    results = await all_at_once(
        [town.at(place).reverse(done.request_no, "x") for place in range(CONNECTIONS)]
    )
    assert words(results) == {"done": 1, "already_reversed": CONNECTIONS - 1}


async def test_same_reversal_at_once_has_one_answer(town: Town) -> None:
    voucher = await held_voucher(town.kit, town.campaign, "fitness")
    done = await town.at(0).redeem(voucher.code)
    body = {"request_no": secrets.token_hex(8), "original_request_no": done.request_no, "reason": "x"}
    answers = await asyncio.gather(
        *(
            signed(town.tills[0][0], town.apps[place % 2], "POST", "/reversals", body, kit=town.kit)
            for place in range(16)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 15}
    assert len({answer.content for answer in answers}) == 1


async def test_write_offs_race_the_reversal_of_the_one_before(town: Town) -> None:
    for _ in range(20):
        voucher = await held_voucher(town.kit, town.campaign, "fitness")
        done = await town.at(0).redeem(voucher.code)
        tries = [town.at(place).redeem(voucher.code) for place in range(8)]
        undone, *results = await asyncio.gather(
            town.at(1).reverse(done.request_no, "x"), *tries, return_exceptions=True
        )
        assert isinstance(undone, Reversal)
        told = words(results)
        assert told["done"] + told["already_redeemed"] == 8
        assert told["done"] <= 1
        live = await one(
            town,
            "SELECT count(*) FROM redemption.redemption WHERE voucher_id = :id AND state = 'redeemed'",
            id=voucher.id,
        )
        assert live == told["done"]


async def test_64_connections_without_batching(town: Town, settings: Settings) -> None:
    """Each its own connection, transaction and call: the database alone decides."""
    vouchers = list(await held_vouchers(town.kit, town.campaign, "fitness", 8))
    dsn = make_url(settings.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    till = town.tills[0][0]
    caller = await _caller(town, till)

    async def try_on_own_connection(place: int) -> Counter[str]:
        connection = await asyncpg.connect(dsn)
        found: Counter[str] = Counter()
        try:
            database: Any = _OneConnection(connection)
            for voucher in vouchers[place % 8 :] + vouchers[: place % 8]:
                (outcome,) = await writeoffs.redeem(
                    database, [_item(town, till, caller, voucher.code)], town.kit.clock.now()
                )
                found[outcome.word] += 1
        finally:
            await connection.close()
        return found

    results = await asyncio.gather(*(try_on_own_connection(place) for place in range(CONNECTIONS)))
    assert sum(results, Counter()) == {"created": 8, "already_redeemed": 8 * CONNECTIONS - 8}


class _OneConnection:
    """Stands in for the pool: every call on the same connection."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def call(self, statement: str, *args: object) -> list[asyncpg.Record]:
        return await self._connection.fetch(statement, *args)


async def _caller(town: Town, till: TerminalClient) -> Caller:
    async with town.kit.database.snapshot() as tx:
        row = (
            await tx.execute(
                text("SELECT bucket, caller_id FROM redemption.terminal WHERE id = :id"),
                {"id": till.terminal_id},
            )
        ).one()
    return Caller(row.bucket, row.caller_id)


def _item(town: Town, till: TerminalClient, caller: Caller, code: str, **more: Any) -> writeoffs.WriteOff:  # noqa: ANN401 - any field
    values: dict[str, Any] = {
        "key_id": till.terminal_id,
        "nonce": secrets.token_hex(8),
        "again": False,
        "caller": caller,
        "request_no": secrets.token_hex(8),
        "fingerprint": fingerprint(code),
        "bucket": bucket_from_symbols(code[:2]),
        "code_hash": code_hash(town.kit.keys.index, code),
        "token_expired": False,
        "bill_fen": None,
        "used_at": None,
        "word": None,
        **more,
    }
    return writeoffs.WriteOff(**values)


async def test_call_whose_answer_this_process_lost_finds_its_own_nonce(town: Town) -> None:
    voucher = await held_voucher(town.kit, town.campaign, "fitness")
    till, now = town.tills[0][0], town.kit.clock.now()
    caller, nonce, no = await _caller(town, till), secrets.token_hex(8), secrets.token_hex(8)
    first, again, stranger = [
        (
            await writeoffs.redeem(
                town.kit.database,
                [_item(town, till, caller, voucher.code, nonce=nonce, request_no=no, again=tried)],
                now,
            )
        )[0]
        for tried in (False, True, False)
    ]
    assert (first.word, again.word, stranger.word) == ("created", "replayed", "replayed_nonce")
    assert (first.id, stranger.id) == (again.id, None)


class TestUploads:
    async def test_upload_crosses_the_same_write_offs_online(self, town: Town) -> None:
        vouchers = await held_vouchers(town.kit, town.campaign, "fitness", 40)
        used_at = town.kit.clock.now() + timedelta(seconds=1)
        items = [OfflineItem(secrets.token_hex(8), voucher.code, used_at) for voucher in vouchers]
        till, twin = town.tills[0]
        upload = asyncio.create_task(till.upload(secrets.token_hex(8), items))
        online = await asyncio.gather(
            *(twin.redeem(item.voucher, request_no=item.request_no) for item in items)
        )
        uploaded = await upload
        assert {result.outcome for result in uploaded.results} <= {"redeemed", "duplicate"}
        by_upload = [result.redemption_id for result in uploaded.results]
        assert by_upload == [redemption.id for redemption in online]

    async def test_same_upload_at_once(self, town: Town) -> None:
        vouchers = await held_vouchers(town.kit, town.campaign, "fitness", 20)
        items = [OfflineItem(secrets.token_hex(8), one.code, town.kit.clock.now()) for one in vouchers]
        no = secrets.token_hex(8)
        answers = await asyncio.gather(*(town.tills[0][place % 2].upload(no, items) for place in range(8)))
        assert all(answer == answers[0] for answer in answers)
        assert {result.outcome for result in answers[0].results} == {"redeemed"}

    async def test_two_tills_upload_the_same_vouchers(self, town: Town) -> None:
        vouchers = await held_vouchers(town.kit, town.campaign, "fitness", 60)
        now = town.kit.clock.now()

        def items(reverse: bool) -> list[OfflineItem]:  # noqa: FBT001 - which way round
            found = [OfflineItem(secrets.token_hex(8), one.code, now) for one in vouchers]
            return found[::-1] if reverse else found

        answers = await asyncio.gather(
            *(town.at(place).upload(secrets.token_hex(8), items(place % 2 == 0)) for place in range(4))
        )
        told = Counter(result.outcome for answer in answers for result in answer.results)
        assert told == {"redeemed": 60, "conflict": 180}


class TestTerminals:
    async def test_activation_code_makes_one_terminal(self, town: Town) -> None:
        code = await town.staff.activation_code(town.institution)
        results = await all_at_once(
            [TerminalClient.activate(town.apps[place % 2], code, f"device-{place}") for place in range(16)]
        )
        assert words(results) == {"done": 1, "activation_code_unknown": 15}

    async def test_check_ins_at_once_agree_on_one_key(self, town: Town) -> None:
        till, twin = at_both(await town.staff.till(town.institution), town.apps[1], town.kit)
        key = till.terminal_key
        answers = await asyncio.gather(
            *(
                signed(till, town.apps[place % 2], "POST", "/terminals/check-in", {}, kit=town.kit, key=key)
                for place in range(16)
            )
        )
        (new_key,) = {answer.json()["terminal_key"] for answer in answers}
        assert new_key != key
        twin.terminal_key = new_key
        assert not (await twin.verify("x")).redeemable


@pytest.mark.parametrize("path", ["terminals", "institutions"])
async def test_pause_bites_in_the_other_process_at_once(town: Town, path: str) -> None:
    till = await town.staff.till(town.institution)
    _, twin = at_both(till, town.apps[1], town.kit)
    first, second = await held_vouchers(town.kit, town.campaign, "fitness", 2)
    assert (await twin.redeem(first.code)).status == "redeemed"
    target = f"/{path}/{till.terminal_id if path == 'terminals' else town.institution}"
    assert (await town.staff.post(f"{target}/pause", {"reason": "x"})).is_success
    with pytest.raises(Refused) as refused:
        await twin.redeem(second.code)
    assert refused.value.code == ("terminal_paused" if path == "terminals" else "institution_paused")
    assert (await town.staff.post(f"{target}/resume", {"reason": "x"})).is_success
    assert (await twin.redeem(second.code)).status == "redeemed"
