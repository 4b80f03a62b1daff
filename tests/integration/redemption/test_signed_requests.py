"""Nothing that was not signed by a terminal, as it stands, now and for the first time, is let in."""

import asyncio
import json
import secrets
import string
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clients.terminal import TerminalClient
from shared.clock import ManualClock
from shared.kit import Kit
from shared.signing import authorization
from shared.vouchers.catalogue import CampaignRef
from tests.support.tills import Bureau, signed
from tests.support.vouchers import held_voucher

CALLS = [
    ("POST", "/redemptions", {"request_no": "r1", "voucher": "x", "bill_fen": 1}),
    ("POST", "/redemptions/verify", {"voucher": "x"}),
    ("GET", "/redemptions?request_no=r1", None),
    ("POST", "/reversals", {"request_no": "r2", "original_request_no": "r1", "reason": "x"}),
    (
        "POST",
        "/batches",
        {
            "batch_no": "b1",
            "items": [{"request_no": "r3", "voucher": "x", "used_at": "2020-10-31T08:00:00+08:00"}],
        },
    ),
    ("POST", "/terminals/check-in", {}),
    ("POST", "/terminals/day-close", {"date": "2020-10-31", "count": 0, "applied_fen": 0}),
]
Call = tuple[str, str, dict[str, Any] | None]
each_call = pytest.mark.parametrize("call", CALLS, ids=[f"{call[0]} {call[1]}" for call in CALLS])


@pytest.fixture(scope="module")
async def till(staff: Bureau, campaign: CampaignRef) -> TerminalClient:
    return await staff.till(await staff.institution(campaign))


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@each_call
async def test_unsigned_is_unauthenticated(http: httpx.AsyncClient, call: Call) -> None:
    method, path, body = call
    content = b"" if body is None else json.dumps(body).encode()
    for header in (None, "Bearer x", "HV-HMAC-SHA256 ", 'HV-HMAC-SHA256 key_id="a"', "\x00"):
        headers = {"Content-Type": "application/json"}
        if header is not None:
            headers["Authorization"] = header
        answer = await http.request(method, f"/redemption/v1{path}", content=content, headers=headers)
        assert code_of(answer) == (401, "unauthenticated")


@each_call
async def test_wrong_key_and_unknown_terminal_are_one_answer(
    http: httpx.AsyncClient,
    kit: Kit,
    till: TerminalClient,
    call: Call,
) -> None:
    wrong = await signed(till, http, *call, kit=kit, key="not the key")
    assert code_of(wrong) == (401, "bad_signature")
    stranger = TerminalClient(http, terminal_id="trm_000000000000", terminal_key="k", institution_id="ins_x")
    unknown = await signed(stranger, http, *call, kit=kit)
    assert code_of(unknown) == (401, "bad_signature")
    assert wrong.json()["detail"] == unknown.json()["detail"]


@each_call
async def test_nonce_is_good_once(
    http: httpx.AsyncClient,
    kit: Kit,
    till: TerminalClient,
    call: Call,
) -> None:
    nonce = secrets.token_hex(8)
    first = await signed(till, http, *call, kit=kit, nonce=nonce)
    assert first.status_code != 401
    if "terminal_key" in first.json():
        till.terminal_key = first.json()["terminal_key"]
    again = await signed(till, http, *call, kit=kit, nonce=nonce)
    assert code_of(again) == (401, "replayed")


@each_call
@pytest.mark.parametrize("seconds", [-301, 301, -(10**9), 10**9])
async def test_clock_that_is_off_is_told_the_time(
    http: httpx.AsyncClient, kit: Kit, till: TerminalClient, call: Call, seconds: int
) -> None:
    timestamp = int(kit.clock.now().timestamp()) + seconds
    answer = await signed(till, http, *call, kit=kit, timestamp=timestamp)
    assert code_of(answer) == (401, "clock_skew")
    told = datetime.fromisoformat(answer.json()["server_time"])
    assert abs(told - kit.clock.now()) < timedelta(seconds=1)


@pytest.mark.parametrize("seconds", [-300, 300])
async def test_clock_within_300_seconds_is_good(
    http: httpx.AsyncClient, kit: Kit, clock: ManualClock, till: TerminalClient, seconds: int
) -> None:
    timestamp = int(clock.now().timestamp()) + seconds
    answer = await signed(
        till, http, "POST", "/redemptions/verify", {"voucher": "x"}, kit=kit, timestamp=timestamp
    )
    assert answer.status_code == 200


async def test_wrong_key_is_not_told_the_time(
    http: httpx.AsyncClient, kit: Kit, till: TerminalClient
) -> None:
    answer = await signed(
        till, http, "POST", "/redemptions/verify", {"voucher": "x"}, kit=kit, timestamp=1, key="not the key"
    )
    assert code_of(answer) == (401, "bad_signature")
    assert "server_time" not in answer.json()


async def test_retry_signs_afresh_under_the_same_number(
    http: httpx.AsyncClient, kit: Kit, campaign: CampaignRef, till: TerminalClient
) -> None:
    voucher = await held_voucher(kit, campaign)
    body = {"request_no": "retry-1", "voucher": voucher.code, "bill_fen": 900}
    nonce = secrets.token_hex(8)
    first = await signed(till, http, "POST", "/redemptions", body, kit=kit, nonce=nonce)
    resent = await signed(till, http, "POST", "/redemptions", body, kit=kit, nonce=nonce)
    afresh = await signed(till, http, "POST", "/redemptions", body, kit=kit)
    assert (first.status_code, code_of(resent), afresh.status_code) == (201, (401, "replayed"), 200)
    assert afresh.json() == first.json()


async def test_two_requests_with_one_nonce_at_once_are_let_in_once(
    http: httpx.AsyncClient, kit: Kit, till: TerminalClient
) -> None:
    nonce = secrets.token_hex(8)
    answers = await asyncio.gather(
        *(
            signed(till, http, "POST", "/redemptions/verify", {"voucher": "x"}, kit=kit, nonce=nonce)
            for _ in range(20)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19


async def test_nonces_of_two_terminals_are_apart(
    http: httpx.AsyncClient, kit: Kit, campaign: CampaignRef, staff: Bureau, till: TerminalClient
) -> None:
    other = await staff.till(await staff.institution(campaign))
    for one in (till, other):
        answer = await signed(
            one, http, "POST", "/redemptions/verify", {"voucher": "x"}, kit=kit, nonce="same"
        )
        assert answer.status_code == 200


def flip(data: st.DataObject, original: str) -> str:
    """One character replaced, removed or added, anywhere."""
    place = data.draw(st.integers(0, len(original) - 1))
    character = data.draw(st.sampled_from(string.ascii_letters + string.digits + '"{}:,/?=_-+ '))
    how = data.draw(st.sampled_from(["replace", "remove", "add"]))
    if how == "remove":
        return original[:place] + original[place + 1 :]
    return original[:place] + character + original[place + (how == "replace") :]


class TestMutations:
    """A signed write-off of a good voucher, bent in one place: it never goes through."""

    @settings(
        max_examples=500,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(data=st.data())
    async def test_no_mutated_request_is_accepted(self, data: st.DataObject, bent: "Bent") -> None:
        part = data.draw(
            st.sampled_from(["method", "target", "timestamp", "nonce", "body", "signature", "key_id"])
        )
        answer = await bent.send(part, data)
        if answer is not None:
            assert answer.is_error, (part, answer.text)

    @pytest.mark.soak
    @settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
    @given(data=st.data())
    async def test_none_of_ten_thousand_is_accepted(self, data: st.DataObject, bent: "Bent") -> None:
        part = data.draw(
            st.sampled_from(["method", "target", "timestamp", "nonce", "body", "signature", "key_id"])
        )
        answer = await bent.send(part, data)
        if answer is not None:
            assert answer.is_error, (part, answer.text)

    async def test_none_of_them_had_an_effect(self, bent: "Bent") -> None:
        answer = await bent.send(None, None)
        assert answer is not None
        assert answer.status_code == 201


class Bent:
    """A good request and the ways to bend it. Every sending has a nonce of its own."""

    METHODS = ("GET", "PUT", "PATCH", "DELETE")

    def __init__(self, http: httpx.AsyncClient, kit: Kit, till: TerminalClient, voucher: str) -> None:
        self.http, self.kit, self.till = http, kit, till
        self.body = json.dumps({"request_no": "bent-1", "voucher": voucher, "bill_fen": 900})

    async def send(self, part: str | None, data: Any) -> httpx.Response | None:  # noqa: ANN401 - hypothesis' own
        method, target, body = "POST", "/redemption/v1/redemptions", self.body
        header = authorization(
            key_id=self.till.terminal_id,
            key=self.till.terminal_key,
            method=method,
            target=target,
            timestamp=int(self.kit.clock.now().timestamp()),
            nonce=secrets.token_hex(12),
            body=body.encode(),
        )
        if part == "method":
            method = data.draw(st.sampled_from(self.METHODS))
        elif part == "target":
            target = data.draw(
                st.sampled_from([target + "?", target + "?a=1", target + "/verify", target + "/"])
            )
            if target.endswith("redemptions?"):
                return None  # an empty query is the same address
        elif part == "body":
            body = flip(data, body)
            if body == self.body:
                return None
        elif part is not None:
            value = header.split(f'{part}="')[1].split('"')[0]
            bent = flip(data, value)
            # Unused bits of the last base64 symbol: other text, the same bytes, the same request.
            if bent == value or (part == "signature" and bent[:-2] == value[:-2]):
                return None
            header = header.replace(f'{part}="{value}"', f'{part}="{bent}"')
        headers = {"Authorization": header, "Content-Type": "application/json"}
        try:
            return await self.http.request(method, target, content=body.encode(), headers=headers)
        except httpx.InvalidURL:
            return None


@pytest.fixture(scope="module")
async def bent(http: httpx.AsyncClient, kit: Kit, campaign: CampaignRef, till: TerminalClient) -> Bent:
    voucher = await held_voucher(kit, campaign)
    return Bent(http, kit, till, voucher.code)
