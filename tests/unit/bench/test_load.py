"""The load generator against a small server of real sockets."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from bench.load import Closed, Open, closed_loop, open_loop, together
from tests.support.answering import Served, response


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served()
    yield server
    server.close()


def request(body: bytes) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: x\r\n\r\n" + body


async def test_closed_loop_sends_each_request_once(served: Served) -> None:
    requests = [request(b"%d" % place) for place in range(50)]
    outcome = await closed_loop(port=served.port, requests=requests, connections=4, keep_bodies=True)
    assert outcome.statuses == {200: 50}
    assert outcome.bodies == {place: b"%d" % place for place in range(50)}
    assert len(outcome.latencies) == 50
    assert 0 < outcome.last(200) <= outcome.seconds
    assert outcome.quantile(0.5) <= outcome.quantile(0.99)


async def test_closed_loop_counts_a_connection_that_ends_unanswered(served: Served) -> None:
    served.answer = lambda told: b"" if told.endswith(b"bad") else response(201)
    outcome = await closed_loop(port=served.port, requests=[request(b"bad")], connections=4)
    assert outcome.lost_connections == 1
    assert outcome.rate(201) == 0


async def test_open_loop_counts_latency_from_the_due_time(served: Served) -> None:
    slow = threading.Event()

    def answer(_: bytes) -> bytes:
        slow.wait(0.05)
        return response(200)

    served.answer = answer
    outcome = await open_loop(port=served.port, arrivals=[(0.0, request(b""))] * 4, connections=1)
    # The last waited for three others before its turn came.
    assert max(outcome.latencies) >= 0.2
    assert outcome.statuses == {200: 4}


async def test_open_loop_keeps_to_the_timetable(served: Served) -> None:
    arrivals = [(place * 0.02, request(b"")) for place in range(10)]
    outcome = await open_loop(port=served.port, arrivals=arrivals, connections=4)
    told = outcome.answered_at[200]
    assert all(at >= due for at, (due, _) in zip(told, arrivals, strict=True))


async def test_a_citizen_who_is_told_to_wait_comes_again_after_that_time(served: Served) -> None:
    first = iter([response(503, b"", "retry-after: 1")])
    served.answer = lambda _: next(first, response(201))

    def follow(_place: int, status: int, _body: bytes) -> bytes | None:
        return request(b"again") if status == 503 else None

    outcome = await open_loop(port=served.port, arrivals=[(0.0, request(b""))], connections=1, follow=follow)
    assert outcome.statuses == {503: 1, 201: 1}
    assert outcome.last(201) >= 1
    # Counted from when it was due the second time.
    assert max(outcome.latencies) < 1


async def test_two_loops_run_side_by_side(served: Served) -> None:
    closed = Closed(port=served.port, requests=[request(b"")] * 20, connections=2)
    opened = Open(port=served.port, arrivals=[(0.01, request(b""))] * 10, connections=2)
    outcomes = await asyncio.wait_for(together(closed, opened), 30)
    assert [outcome.statuses[200] for outcome in outcomes] == [20, 10]
