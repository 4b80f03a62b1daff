"""What staff do at one process holds at the other within five seconds: real processes, over real HTTP."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import httpx
import pytest
from pydantic import SecretStr

from shared.clients.terminal import Refused, TerminalClient
from shared.kit import Kit, build_kit
from shared.settings import Settings
from tests.race.redemption.conftest import Town, at_both
from tests.support.launched import ROOT, eventually
from tests.support.tills import Bureau, bureau
from tests.support.vouchers import held_vouchers, published

# api.md: pausing and revoking bite within this time everywhere.
BITES_WITHIN_SECONDS = 5.0
# Two at once on a machine that does other things.
START_SECONDS = 240.0
# As `hv serve redemption`, whose own words the launcher's tests cover.
SERVE = (sys.executable, "-c", "from deploy.cli import main; main()", "serve", "redemption")


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a deployment gives them; the time is the machine's."""
    told = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name in settings.model_fields_set
        if (value := getattr(settings, name)) is not None
    }
    return {**os.environ, **{f"HV_{name.upper()}": value for name, value in told.items()}}


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """One service in a process of its own; yields its address, ended with the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = subprocess.Popen(  # noqa: S603 - ourselves
        [*SERVE, "--port", str(port)],
        cwd=ROOT,
        env=environment(settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=40)


async def answers(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/redemption/healthz")).is_success
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
async def kit(settings: Settings) -> AsyncIterator[Kit]:
    """By the machine's clock, as the two processes."""
    built = build_kit(settings)
    await built.database.start()
    yield built
    await built.database.stop()


@pytest.fixture(scope="module")
async def town(settings: Settings, kit: Kit) -> AsyncIterator[Town]:
    with ExitStack() as stack:
        addresses = [stack.enter_context(served(settings)) for _ in range(2)]
        async with (
            httpx.AsyncClient(base_url=addresses[0], timeout=30) as first,
            httpx.AsyncClient(base_url=addresses[1], timeout=30) as second,
        ):
            for http in (first, second):
                await eventually(partial(answers, http), seconds=START_SECONDS)
            campaign = await published(kit, "honghe-2020")
            staff = await bureau(first, kit)
            institution = await staff.institution(campaign)
            one, two = [at_both(await staff.till(institution), second, kit) for _ in range(2)]
            yield Town(kit, campaign, staff, (first, second), institution, (one, two))


async def refusal_of(till: TerminalClient, code: str) -> str | None:
    try:
        await till.redeem(code)
    except Refused as refused:
        return refused.code
    return None


async def said_at(staff: Bureau, path: str, **body: object) -> float:
    """Has staff do it at the first process; the moment of its answer."""
    done = await staff.post(path, {"reason": "x", **body})
    assert done.is_success, done.text
    return time.monotonic()


async def test_pause_and_the_operators_rule_hold_for_the_next_write_off_at_the_other(town: Town) -> None:
    """The other process knows the till well: its keys are remembered there."""
    till, twin = town.tills[0]
    vouchers = iter(await held_vouchers(town.kit, town.campaign, "fitness", 4))
    assert await refusal_of(twin, next(vouchers).code) is None
    for target, word in (
        (f"/terminals/{till.terminal_id}", "terminal_paused"),
        (f"/institutions/{town.institution}", "institution_paused"),
    ):
        voucher = next(vouchers).code
        await said_at(town.staff, f"{target}/pause")
        assert await refusal_of(twin, voucher) == word
        await said_at(town.staff, f"{target}/resume")
        assert await refusal_of(twin, voucher) is None
    voucher, rule = next(vouchers).code, f"/institutions/{town.institution}/operator-rule"
    await said_at(town.staff, rule, required=True)
    assert await refusal_of(twin, voucher) == "operator_required"
    await said_at(town.staff, rule, required=False)
    assert await refusal_of(twin, voucher) is None


@pytest.mark.parametrize("action", ["revoke", "activation-code"])
async def test_dead_key_writes_nothing_off_and_signs_nothing_after_five_seconds(
    town: Town, action: str
) -> None:
    till, twin = at_both(await town.staff.till(town.institution), town.apps[1], town.kit)
    first, second = await held_vouchers(town.kit, town.campaign, "fitness", 2)
    assert await refusal_of(twin, first.code) is None
    number = (await till.redeem(second.code)).request_no
    await till.reverse(number, "x")
    dead_since = await said_at(town.staff, f"/terminals/{till.terminal_id}/{action}")
    assert await refusal_of(twin, second.code) == "bad_signature"

    async def signs_nothing() -> bool:
        sent_at = time.monotonic()
        try:
            await twin.find(number)
        except Refused as refused:
            return refused.code == "bad_signature"
        # However slow this machine is: what is accepted was sent before.
        assert sent_at - dead_since < BITES_WITHIN_SECONDS
        return False

    await eventually(signs_nothing)
