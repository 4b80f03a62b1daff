"""What comes over a faulty line is no answer: a real server that answers wrong in every way, byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from shared.clients.terminal import OfflineItem, OutcomeUnknown, Refused, TerminalClient, Untrustworthy
from shared.clock import machine_now

GOOD = {
    "id": "r_1",
    "request_no": "n1",
    "status": "redeemed",
    "voucher_type": "fitness",
    "applied_fen": 5000,
    "payable_fen": 0,
    "redeemed_at": "2020-10-31T09:00:00+08:00",
}
REVERSED = {
    "id": "v_1",
    "request_no": "v1",
    "original_request_no": "n1",
    "status": "reversed",
    "redemption_id": "r_1",
    "reversed_at": "2020-10-31T09:00:00+08:00",
}


def raw(
    body: bytes,
    *,
    status: str = "201 Created",
    kind: str | None = "application/json",
    length: int | None = None,
    more: str = "",
) -> bytes:
    head = f"HTTP/1.1 {status}\r\n"
    if kind is not None:
        head += f"Content-Type: {kind}\r\n"
    head += f"Content-Length: {len(body) if length is None else length}\r\nConnection: close\r\n{more}\r\n"
    return head.encode() + body


def told(answer: object, **more: object) -> bytes:
    return raw(json.dumps(answer).encode(), **more)  # type: ignore[arg-type]


@asynccontextmanager
async def line(*answers: bytes) -> AsyncIterator[tuple[TerminalClient, list[bytes]]]:
    """A server that gives these answers in turn, the last one for ever; what it was sent is kept."""
    sent: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = [one for one in head.split(b"\r\n") if one.lower().startswith(b"content-length:")]
        sent.append(await reader.readexactly(int(length[0].split(b":")[1])) if length else b"")
        writer.write(answers[min(len(sent), len(answers)) - 1])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        yield (
            TerminalClient(
                http,
                terminal_id="trm_0123456789ab",
                terminal_key="key",
                institution_id="ins_1",
                attempts_max=2,
                pause_seconds=0,
            ),
            sent,
        )


FAULTY = {
    "body cut off": told(GOOD, length=500),
    "body cut off without a length": (
        b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
        + json.dumps(GOOD).encode()[:-20]
    ),
    "chunks cut off": (
        b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{"
    ),
    "a portal's page": raw(b"<html>Welcome</html>", status="200 OK", kind="text/html"),
    "JSON that says it is text": told(GOOD, kind="text/plain"),
    "no content type": told(GOOD, kind=None),
    "an empty success": raw(b""),
    "no content": raw(b"", status="204 No Content", kind=None),
    "not compressed as it says": told(GOOD, more="Content-Encoding: gzip\r\n"),
    "a list": told([GOOD]),
    "a field of another kind": told({**GOOD, "applied_fen": "5000"}),
    "a state that is none": told({**GOOD, "status": "refused"}),
    "the answer to another request": told({**GOOD, "request_no": "n2"}),
    "created, yet a replay": told(GOOD, more="Idempotent-Replay: true\r\n"),
    "a replay that does not say so": told(GOOD, status="200 OK"),
    "accepted for later": told(GOOD, status="202 Accepted"),
    "a refusal that says it is a success": told(
        {"code": "voucher_expired", "status": 409}, status="200 OK", kind="application/problem+json"
    ),
    "a refusal of somebody on the way": raw(
        b"<html>blocked</html>", status="403 Forbidden", kind="text/html"
    ),
    "a refusal that is cut off": told(
        {"code": "already_redeemed", "status": 409},
        status="409 Conflict",
        kind="application/problem+json",
        length=900,
    ),
    "a refusal without its code": told(
        {"status": 409}, status="409 Conflict", kind="application/problem+json"
    ),
    "a refusal of another status": told(
        {"code": "already_redeemed", "status": 409}, status="403 Forbidden", kind="application/problem+json"
    ),
    "a redirection": raw(b"", status="302 Found", kind=None, more="Location: http://portal/\r\n"),
    **{f"without {name}": told({key: value for key, value in GOOD.items() if key != name}) for name in GOOD},
}


@pytest.mark.parametrize("fault", FAULTY)
async def test_is_sent_again_under_its_number_and_believed_when_it_is_whole(fault: str) -> None:
    whole = told(GOOD, status="200 OK", more="Idempotent-Replay: true\r\n")
    async with line(FAULTY[fault], whole) as (till, sent):
        assert (await till.redeem("code", request_no="n1")).applied_fen == 5000
        assert len(sent) == 2
        assert sent[0] == sent[1]


@pytest.mark.parametrize("fault", ["body cut off", "a portal's page", "without id"])
async def test_stays_unknown_when_nothing_better_comes(fault: str) -> None:
    async with line(FAULTY[fault]) as (till, sent):
        with pytest.raises(OutcomeUnknown) as unknown:
            await till.redeem("code", request_no="n1")
        assert unknown.value.request_no == "n1"
        assert len(sent) == 2


async def test_whole_answers_are_believed_at_once() -> None:
    async with line(told(GOOD, kind="application/json; charset=utf-8")) as (till, sent):
        assert (await till.redeem("code", request_no="n1")).id == "r_1"
        assert len(sent) == 1


async def test_refusal_of_the_platform_is_believed_at_once() -> None:
    problem = {"code": "voucher_expired", "status": 409, "detail": "过期"}
    refusal = told(problem, status="409 Conflict", kind="application/problem+json")
    async with line(refusal) as (till, sent):
        with pytest.raises(Refused) as refused:
            await till.redeem("code", request_no="n1")
        assert (refused.value.code, len(sent)) == ("voucher_expired", 1)


async def test_reversal_of_another_original_is_no_answer() -> None:
    async with line(told({**REVERSED, "original_request_no": "n2"}), told(REVERSED)) as (till, sent):
        assert (await till.reverse("n1", "退", request_no="v1")).status == "reversed"
        assert len(sent) == 2


@pytest.mark.parametrize("numbers", [["o1"], ["o2", "o1"], ["o1", "o2", "o3"]], ids=str)
async def test_upload_answers_every_item_in_its_order(numbers: list[str]) -> None:
    results = [
        {"request_no": one, "outcome": "redeemed", "reason": None, "redemption_id": "r"} for one in numbers
    ]
    items = [OfflineItem(one, "code", machine_now()) for one in ("o1", "o2")]
    async with line(told({"batch_no": "b1", "results": results}, status="200 OK")) as (till, _):
        with pytest.raises(OutcomeUnknown):
            await till.upload("b1", items)


async def test_key_is_kept_when_the_new_one_is_cut_off() -> None:
    answer = {"terminal_key": "new", "server_time": "2020-10-31T09:00:00+08:00"}
    async with line(told(answer, status="200 OK", length=400)) as (till, _):
        with pytest.raises(OutcomeUnknown):
            await till.check_in()
        assert till.terminal_key == "key"


async def test_clock_that_a_stranger_tells_is_not_taken_over() -> None:
    skew = {"code": "clock_skew", "status": 401, "server_time": "yesterday"}
    refusal = told(skew, status="401 Unauthorized", kind="application/problem+json")
    async with line(refusal, told(GOOD)) as (till, _):
        await till.redeem("code", request_no="n1")
        assert not till.offset


async def test_activation_believes_no_portal() -> None:
    async with line(FAULTY["a portal's page"]) as (till, _):
        with pytest.raises(Untrustworthy):
            await TerminalClient.activate(till._http, "code", "device")
