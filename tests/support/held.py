"""Vouchers as people come by them: won and claimed, over HTTP."""

from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import text

from shared.clock import ManualClock
from shared.ids import HotId, parse_hot_id
from shared.kit import Kit
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, give_chances, new_person

REDEEM = """
    SELECT * FROM core.vouchers_redeem(
        ARRAY[1], ARRAY[CAST(:bucket AS smallint)], ARRAY[CAST(:id AS uuid)], ARRAY['clinic-7'],
        ARRAY['terminal:1'], ARRAY[gen_random_uuid()], ARRAY[CAST(:now AS timestamptz)],
        ARRAY[CAST(9999999 AS bigint)], :now)
"""


@dataclass(frozen=True, slots=True)
class Held:
    """A voucher in somebody's hands."""

    hands: Hands
    campaign: Published
    voucher: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.voucher["id"])

    @property
    def address(self) -> HotId:
        return parse_hot_id(self.id)


async def winner(
    client: httpx.AsyncClient,
    kit: Kit,
    clock: ManualClock,
    **parts: Any,  # noqa: ANN401 - parts of a definition
) -> tuple[Hands, Published]:
    """Somebody with two chances in an open campaign where every draw wins."""
    hands = Hands(client, await new_person(kit))
    campaign = await open_campaign(kit, clock, odds="1", **parts)
    await give_chances(kit, hands.person, campaign, 2)
    return hands, campaign


async def held_voucher(
    client: httpx.AsyncClient,
    kit: Kit,
    clock: ManualClock,
    voucher_type: str = "fitness",
    **parts: Any,  # noqa: ANN401 - parts of a definition
) -> Held:
    hands, campaign = await winner(client, kit, clock, **parts)
    return await another(hands, campaign, voucher_type)


async def another(hands: Hands, campaign: Published, voucher_type: str = "fitness") -> Held:
    claimed = await hands.claim(await hands.win(campaign.slug), voucher_type)
    assert claimed.status_code == 201, claimed.text
    return Held(hands, campaign, claimed.json())


async def redeem(kit: Kit, voucher: HotId) -> bool:
    """Writes the voucher off; False when it could not be."""
    async with kit.database.transaction() as tx:
        values = {"bucket": voucher.bucket, "id": voucher.uuid, "now": kit.clock.now()}
        return (await tx.execute(text(REDEEM), values)).one_or_none() is not None


async def rows(kit: Kit, sql: str, **values: object) -> list[Any]:
    async with kit.database.transaction() as tx:
        return list(await tx.execute(text(sql), values))


async def run(kit: Kit, sql: str, **values: object) -> None:
    async with kit.database.transaction() as tx:
        await tx.execute(text(sql), values)


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
