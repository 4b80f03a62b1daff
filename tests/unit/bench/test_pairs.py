from collections.abc import Iterator

import pytest

from bench.hotpath.pairs import Leg, Run, in_turn, over_http, whole_share
from bench.machine import Usage
from bench.rows import Void
from tests.support.answering import Served, response

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served()
    yield server
    server.close()


async def test_a_run_knows_its_items_and_its_rate(served: Served) -> None:
    served.answer = lambda _: response(201)
    run = await over_http(served.port, [REQUEST] * 20, status=201, connections=2)
    assert run.items == 20
    assert run.rate > 0
    assert 0 < run.p50 <= run.p99


async def test_one_unexpected_answer_makes_a_run_void(served: Served) -> None:
    answers = iter([response(201), response(409)])
    served.answer = lambda _: next(answers, response(201))
    with pytest.raises(Void, match=r"3 answers 201 were due, seen: \{201: 2, 409: 1\}"):
        await over_http(served.port, [REQUEST] * 3, status=201, connections=1)


async def test_a_lost_connection_makes_a_run_void(served: Served) -> None:
    served.answer = lambda _: b""
    with pytest.raises(Void, match="1 connections lost"):
        await over_http(served.port, [REQUEST], status=201)


async def test_who_begins_a_round_alternates() -> None:
    seen: list[str] = []

    def leg(name: str) -> Leg:
        async def run(number: int) -> Run:
            seen.append(f"{name}{number}")
            return Run(number, 1.0, 0.0, 0.0, Usage())

        return run

    first, second = await in_turn(3, leg("a"), leg("b"))
    assert seen == ["a0", "b0", "b1", "a1", "a2", "b2"]
    assert [run.items for run in first] == [run.items for run in second] == [0, 1, 2]


def test_every_client_of_pgbench_has_as_many_items() -> None:
    assert whole_share(2_000) == 1_984
    assert whole_share(60) == 60
    assert whole_share(10) == 10
