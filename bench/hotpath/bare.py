"""The bare database's side: prepares items for pgbench and names the script that does them one by one."""

import secrets
from collections.abc import Sequence

from bench.hotpath import store
from bench.hotpath.pairs import CONNECTIONS
from bench.hotpath.town import BILL_FEN, Person, Town, Voucher, right_answers
from bench.simulator.platform import request_no
from shared.ids import new_id

# Beyond the first ones, which plan.
_CLAIMS_EACH_MIN = 25


async def starts(town: Town, people: Sequence[Person]) -> str:
    phase, rule = await town.quiz_rule()
    given = (town.campaign.id, phase, rule.id)
    rows = [
        (*given, *person.place, request_no(), _print(), new_id(), ",".join(map(str, ids)), ",".join(orders))
        for person, (ids, orders) in zip(people, await town.sampled(len(people)), strict=True)
    ]
    await town.bench.provide()
    await town.bench.give("start", rows)
    return store.START_NEXT


async def submissions(town: Town, people: Sequence[Person]) -> str:
    rows = []
    for person, attempt in zip(people, await town.attempts(people), strict=True):
        told = right_answers(person, attempt)
        answers = "".join("," + keys for keys in told.answers)
        correct = ",".join("1" for _ in told.correct)
        rows.append(
            (*person.place, attempt.address.uuid, request_no(), _print(), answers, correct, told.score)
        )
    await town.bench.provide()
    await town.bench.give("submission", rows)
    return store.SUBMIT_NEXT


async def draws(town: Town, people: Sequence[Person]) -> str:
    terms = town.draw_terms()
    given = (terms.campaign_id, terms.phase_id, *terms.pads, terms.prefix)
    rows = [(*given, *person.place, request_no(), _print(), new_id(), new_id()) for person in people]
    await town.bench.provide()
    await town.bench.give("draw_item", rows)
    return store.DRAW_NEXT


async def claims(town: Town) -> str:
    """On copies of stock and vouchers: nothing of it is the platform's."""
    await town.bench.provide_hot_row()
    return store.CLAIM


def claims_each(items: int) -> int:
    """How many each of CONNECTIONS clients makes: a hot row is what all of them queue up for."""
    return max(_CLAIMS_EACH_MIN, items // CONNECTIONS)


async def write_offs(town: Town, vouchers: Sequence[Voucher], *, batch_of_one: bool) -> str:
    rows = [
        (
            town.tills[place % len(town.tills)].client.terminal_id,
            secrets.token_hex(8),
            request_no(),
            _print(),
            voucher.address.bucket,
            voucher.code_hash,
            BILL_FEN,
            new_id(),
        )
        for place, voucher in enumerate(vouchers)
    ]
    await town.bench.provide()
    await town.bench.give("write_off", rows)
    return store.REDEEM_BATCH_NEXT if batch_of_one else store.REDEEM_ONE_NEXT


def _print() -> bytes:
    return secrets.token_bytes(16)
