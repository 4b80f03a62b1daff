"""Request numbers: one effect, one answer, also when both requests arrive at the same moment."""

import asyncio
from collections import Counter
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from shared.db import Tx
from shared.errors import NoLongerFits, RequestNoReused
from shared.idempotency import Answer, Caller, RequestKey, fingerprint, once
from shared.ids import new_id
from shared.kit import Kit

CONNECTIONS = 12


@pytest.fixture(scope="module", autouse=True)
async def table(kit: Kit) -> None:
    async with kit.database.transaction() as tx:
        await tx.execute(text("CREATE TABLE public.effect (id serial PRIMARY KEY, what text NOT NULL)"))


def key(
    request_no: str, body: object = "body", *, caller: Caller | None = None, operation: str = "op"
) -> RequestKey:
    return RequestKey(caller or CALLER, operation, request_no, fingerprint(body))


CALLER = Caller(bucket=7, id=new_id())


async def act(tx: Tx, what: str) -> dict[str, Any]:
    statement = text("INSERT INTO public.effect (what) VALUES (:what) RETURNING id")
    return {"id": (await tx.execute(statement, {"what": what})).scalar_one(), "what": what}


async def request(kit: Kit, request_key: RequestKey | None, what: str) -> Answer:
    async with kit.database.transaction() as tx:
        return await once(
            tx, request_key, sealer=kit.keys.sealer, now=kit.clock.now(), act=partial(act, tx, what)
        )


async def effects(kit: Kit, what: str) -> int:
    async with kit.database.snapshot() as tx:
        statement = text("SELECT count(*) FROM public.effect WHERE what = :what")
        return int((await tx.execute(statement, {"what": what})).scalar_one())


async def test_same_number_acts_once_and_answers_the_same(kit: Kit) -> None:
    first, again = [await request(kit, key("n1"), "one") for _ in range(2)]
    assert (first.replayed, again.replayed) == (False, True)
    assert first.body == again.body
    assert await effects(kit, "one") == 1


async def test_same_number_at_the_same_moment_acts_once(kit: Kit) -> None:
    answers = await asyncio.gather(*(request(kit, key("race"), "race") for _ in range(CONNECTIONS)))
    assert Counter(answer.replayed for answer in answers) == {False: 1, True: CONNECTIONS - 1}
    assert len({answer.body["id"] for answer in answers}) == 1
    assert await effects(kit, "race") == 1


async def test_bodies_that_race_under_one_number_have_one_winner(kit: Kit) -> None:
    outcomes = await asyncio.gather(
        *(request(kit, key("bodies", body=number), "bodies") for number in range(CONNECTIONS)),
        return_exceptions=True,
    )
    assert Counter(type(outcome) for outcome in outcomes) == {Answer: 1, RequestNoReused: CONNECTIONS - 1}
    assert await effects(kit, "bodies") == 1


async def test_other_body_under_a_used_number_is_refused(kit: Kit) -> None:
    await request(kit, key("n2", body={"a": 1}), "two")
    with pytest.raises(RequestNoReused):
        await request(kit, key("n2", body={"a": 2}), "two")
    assert await effects(kit, "two") == 1


async def test_numbers_belong_to_a_caller_and_an_operation(kit: Kit) -> None:
    other = Caller(bucket=7, id=new_id())
    for request_key in (key("n3"), key("n3", caller=other), key("n3", operation="other")):
        assert not (await request(kit, request_key, "three")).replayed
    assert await effects(kit, "three") == 3


async def test_refused_request_leaves_its_number_free(kit: Kit) -> None:
    async def refuse() -> dict[str, Any]:
        raise NoLongerFits

    with pytest.raises(NoLongerFits):
        async with kit.database.transaction() as tx:
            await once(tx, key("n4"), sealer=kit.keys.sealer, now=kit.clock.now(), act=refuse)
    assert not (await request(kit, key("n4", body="another"), "four")).replayed


async def test_request_that_waits_for_one_that_fails_acts_itself(kit: Kit) -> None:
    started, failed = asyncio.Event(), asyncio.Event()

    async def fail() -> None:
        async with kit.database.transaction() as tx:

            async def act_and_fail() -> dict[str, Any]:
                started.set()
                await failed.wait()
                raise NoLongerFits

            await once(tx, key("n5"), sealer=kit.keys.sealer, now=kit.clock.now(), act=act_and_fail)

    failing = asyncio.create_task(fail())
    await started.wait()
    waiting = asyncio.create_task(request(kit, key("n5"), "five"))
    await asyncio.sleep(0.1)
    assert not waiting.done(), "it waits on the first one's row"
    failed.set()
    with pytest.raises(NoLongerFits):
        await failing
    assert not (await waiting).replayed
    assert await effects(kit, "five") == 1


async def test_without_a_number_every_request_acts(kit: Kit) -> None:
    for _ in range(2):
        assert not (await request(kit, None, "free")).replayed
    assert await effects(kit, "free") == 2


async def test_stored_answer_is_sealed_and_a_replay_writes(kit: Kit) -> None:
    what = "a very personal answer"
    for _ in range(3):
        await request(kit, key("n6"), what)
    async with kit.database.snapshot() as tx:
        statement = text("SELECT answer_sealed, replays FROM core.request WHERE request_no = 'n6'")
        row = (await tx.execute(statement)).one()
    assert what.encode() not in row.answer_sealed
    assert row.replays == 2
