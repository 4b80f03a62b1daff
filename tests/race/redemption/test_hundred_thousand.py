"""100,000 attempts on 1,000 vouchers over 64 connections to two processes: exactly 1,000 are written off."""

import json
import os
import secrets
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from bench.load import closed_loop
from bench.wire import request_bytes
from shared.kit import Kit
from shared.settings import Settings
from shared.signing import authorization
from tests.race.redemption.conftest import Town
from tests.support.launched import ROOT, wait_for
from tests.support.vouchers import held_vouchers

VOUCHERS, ATTEMPTS, CONNECTIONS = 1_000, 100_000, 64
# Prepared in parts, so that no request is older than its signature may be.
PART = 10_000
_TARGET = "/redemption/v1/redemptions"


@contextmanager
def processes(settings: Settings, kit: Kit, count: int) -> Iterator[int]:
    """Uvicorn processes of the service that share one port, on the platform's clock of the tests."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        port: int = listener.getsockname()[1]
        os.set_inheritable(listener.fileno(), True)
        environment = {
            **os.environ,
            **{
                f"HV_{name.upper()}": str(getattr(value, "get_secret_value", lambda value=value: value)())
                for name, value in settings.model_dump().items()
                if value is not None and name not in ("demo", "clock_start")
            },
            "HV_DEMO": "1",
            "HV_CLOCK_START": kit.clock.now().isoformat(),
        }
        command = [
            sys.executable, "-m", "uvicorn", "services.redemption.app:app", "--fd", str(listener.fileno()),
            "--no-access-log", "--log-level", "warning",
        ]  # fmt: skip
        running = [
            subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[listener.fileno()])  # noqa: S603 - ourselves
            for _ in range(count)
        ]
        try:
            yield port
        finally:
            for one in running:
                one.terminate()
            for one in running:
                one.wait(timeout=20)


@pytest.mark.soak
async def test_exactly_one_write_off_for_each_voucher(town: Town, settings: Settings) -> None:
    vouchers = await held_vouchers(town.kit, town.campaign, "fitness", VOUCHERS)
    till = town.tills[0][0]
    statuses: Counter[int] = Counter()
    words: Counter[str] = Counter()
    seconds = 0.0

    def signed_request(place: int) -> bytes:
        body = json.dumps(
            {"request_no": secrets.token_hex(12), "voucher": vouchers[place % VOUCHERS].code}
        ).encode()
        header = authorization(
            key_id=till.terminal_id,
            key=till.terminal_key,
            method="POST",
            target=_TARGET,
            timestamp=int(town.kit.clock.now().timestamp()),
            nonce=secrets.token_hex(12),
            body=body,
        )
        headers = {"Authorization": header, "Content-Type": "application/json"}
        return request_bytes("POST", _TARGET, host="till", headers=headers, body=body)

    with processes(settings, town.kit, 2) as port:
        wait_for(lambda: _up(port))
        for start in range(0, ATTEMPTS, PART):
            requests = [signed_request(place) for place in range(start, start + PART)]
            done = await closed_loop(
                port=port, requests=requests, connections=CONNECTIONS, seconds=300, keep_bodies=True
            )
            assert done.lost_connections == 0
            statuses += done.statuses
            words.update(json.loads(body).get("code", "redeemed") for body in done.bodies.values())
            seconds += done.seconds
    print(f"{ATTEMPTS} attempts in {seconds:.1f} s, {ATTEMPTS / seconds:.0f} a second: {dict(words)}")  # noqa: T201 - the figure
    assert words == {"redeemed": VOUCHERS, "already_redeemed": ATTEMPTS - VOUCHERS}, statuses
    async with town.kit.database.snapshot() as tx:
        live = await tx.execute(
            text("SELECT count(*) FROM redemption.redemption WHERE voucher_id = ANY (:ids)"),
            {"ids": [voucher.id for voucher in vouchers]},
        )
        assert live.scalar_one() == VOUCHERS


def _up(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as asking:
        asking.settimeout(5)
        asking.sendall(b"GET /redemption/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        try:
            return b" 200 " in asking.recv(64)
        except TimeoutError:
            return False
