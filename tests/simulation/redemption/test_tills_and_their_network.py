"""Tills on a bad network: messages are lost, doubled, late and out of order, and the clock goes on.

What arrives is answered as a small model foretells, a signed message works once and for five minutes, and
whatever happened, nothing is paid twice.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import ClassVar

import httpx
import pytest
from hypothesis import strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from typing_extensions import override

from services.redemption.app import create_app
from shared.clients.terminal import TerminalClient
from shared.clock import ManualClock
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from shared.signing import authorization
from shared.vouchers.catalogue import CampaignRef
from tests.simulation.redemption import model
from tests.support.http import serving
from tests.support.plays import Dice, Stage, play
from tests.support.tills import bureau
from tests.support.vouchers import held_vouchers, published

PATHS = {model.Redeem: "/redemption/v1/redemptions", model.Reverse: "/redemption/v1/reversals"}
# Two tills of one institution and one of another, by the institution's number.
HOUSES = (0, 0, 1)
VOUCHERS = 3
DONE = {"redeemed", "reversed", "blocked"}
STEPS = (
    (timedelta(seconds=5),) * 6 + (timedelta(seconds=200),) * 3 + (timedelta(minutes=6), timedelta(days=61))
)
# How often each act is tried (one rule plays them all: hypothesis leaves whole rules out of a run).
ACTS = {
    "a_voucher_is_shown": 6,
    "a_till_takes_something_back": 4,
    "a_number_is_used_again": 1,
    "a_message_arrives": 9,
    "a_message_is_sent_anew": 6,
    "a_till_asks_what_became_of_it": 3,
    "time_passes": 3,
}
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class World(Stage):
    kit: Kit
    clock: ManualClock
    client: httpx.AsyncClient
    campaign: CampaignRef
    tills: list[TerminalClient]


@pytest.fixture(scope="module")
async def world(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[World]:
    campaign = await published(kit, "tills-and-network")
    async with serving(redemption=create_app(settings, clock=clock)) as client:
        staff = await bureau(client, kit)
        houses = [await staff.institution(campaign) for _ in range(2)]
        tills = [await staff.till(houses[house]) for house in HOUSES]
        yield World(asyncio.get_running_loop(), kit, clock, client, campaign, tills)


@dataclass(slots=True)
class Envelope:
    """A message as a till signed it; the network may deliver it any number of times, or never."""

    till: int
    message: model.Message
    content: bytes
    header: str
    signed_at: datetime
    arrived: bool = False


class Network(RuleBasedStateMachine):
    world: ClassVar[World]

    @initialize()
    def opens(self) -> None:
        world = self.world
        held = world.run(held_vouchers(world.kit, world.campaign, "general_50", VOUCHERS))
        self.truth = model.Truth([model.Till(house) for house in HOUSES])
        self.vouchers = [model.Voucher(voucher.code, self.now + model.VALIDITY) for voucher in held]
        self.sent: list[Envelope] = []

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    @rule(
        act=strategies.sampled_from([act for act, times in ACTS.items() for _ in range(times)]),
        dice=strategies.builds(Dice, strategies.integers(0, 1 << 12), strategies.integers(0, 1 << 12)),
    )
    def goes_on(self, act: str, dice: Dice) -> None:
        getattr(self, act)(dice)

    # What tills send.

    def a_voucher_is_shown(self, dice: Dice) -> None:
        voucher = self.vouchers[dice.one % VOUCHERS]
        self._sign(dice.two % len(HOUSES), model.Redeem(f"n{next(_numbers)}", voucher, 6_000))
        self._perhaps_arrives(dice)

    def a_till_takes_something_back(self, dice: Dice) -> None:
        """Any till, also of a write-off that never arrived, and also a stranger's."""
        shown = [envelope.message for envelope in self.sent if isinstance(envelope.message, model.Redeem)]
        if shown:
            original = shown[-1 - dice.one % min(4, len(shown))].number
            self._sign(dice.two % len(HOUSES), model.Reverse(f"n{next(_numbers)}", original))
            self._perhaps_arrives(dice)

    def a_number_is_used_again(self, dice: Dice) -> None:
        """For another bill: a fault of the till."""
        shown = [envelope for envelope in self.sent if isinstance(envelope.message, model.Redeem)]
        if shown:
            first = shown[dice.one % len(shown)]
            assert isinstance(first.message, model.Redeem)
            self._sign(first.till, model.Redeem(first.message.number, first.message.voucher, 7_000))
            self._perhaps_arrives(dice)

    def a_message_is_sent_anew(self, dice: Dice) -> None:
        """Its answer was lost, as far as the till knows: the same number, signed afresh."""
        if self.sent:
            before = self.sent[-1 - dice.one % min(6, len(self.sent))]
            self._sign(before.till, before.message)
            self._arrives(self.sent[-1])

    # What the network does.

    def a_message_arrives(self, dice: Dice) -> None:
        """Late, out of order, or once more."""
        if self.sent:
            self._arrives(self.sent[-1 - dice.one % min(6, len(self.sent))])

    def a_till_asks_what_became_of_it(self, dice: Dice) -> None:
        if not self.sent:
            return
        number, till = self.sent[dice.one % len(self.sent)].message.number, dice.two % len(HOUSES)
        found = self.world.run(self.world.tills[till].find(number))
        assert (None if found is None else found.status) == self.truth.status(till, number)

    def time_passes(self, dice: Dice) -> None:
        self.world.clock.set(self.now + STEPS[dice.one % len(STEPS)])

    # How.

    def _sign(self, till: int, message: model.Message) -> None:
        body = (
            {"request_no": message.number, "voucher": message.voucher.code, "bill_fen": message.bill_fen}
            if isinstance(message, model.Redeem)
            else {
                "request_no": message.number,
                "original_request_no": message.original,
                "reason": "收银网络超时",
            }
        )
        content = json.dumps(body).encode()
        client = self.world.tills[till]
        header = authorization(
            key_id=client.terminal_id,
            key=client.terminal_key,
            method="POST",
            target=PATHS[type(message)],
            timestamp=int(self.now.timestamp()),
            nonce=secrets.token_hex(12),
            body=content,
        )
        self.sent.append(Envelope(till, message, content, header, self.now))

    def _perhaps_arrives(self, dice: Dice) -> None:
        if dice.one % 3:
            self._arrives(self.sent[-1])

    def _arrives(self, envelope: Envelope) -> None:
        if self.now - envelope.signed_at.replace(microsecond=0) > model.SKEW:
            foretold = "clock_skew"
        elif envelope.arrived:
            foretold = "replayed"
        else:
            foretold = self.truth.arrives(envelope.till, envelope.message, self.now)
            envelope.arrived = True
        answer: httpx.Response = self.world.run(
            self.world.client.post(
                PATHS[type(envelope.message)],
                content=envelope.content,
                headers={"Authorization": envelope.header, "Content-Type": "application/json"},
            )
        )
        assert _told(answer) == foretold, answer.text

    @override
    def teardown(self) -> None:
        if not hasattr(self, "sent"):
            return
        live = [redemption for till in self.truth.tills for redemption in till.redemptions.values()]
        for voucher in self.vouchers:
            assert sum(one.live and one.voucher is voucher for one in live) == (voucher.spent_by is not None)
        report = self.world.run(recompute(self.world.kit))
        assert report.ok, [check for check in report.checks if not check.ok]


def _told(answer: httpx.Response) -> str:
    """What an answer says: a refusal's code, or what was done, `again` with the replay header."""
    body = answer.json()
    if answer.status_code not in {200, 201}:
        return str(body["code"])
    again = answer.headers.get("Idempotent-Replay") == "true"
    assert again == (answer.status_code == 200)
    assert body["status"] in DONE
    return f"again {body['status']}" if again else str(body["status"])


async def test_every_message_is_answered_as_the_model_foretells(world: World) -> None:
    await play(Network, world)
