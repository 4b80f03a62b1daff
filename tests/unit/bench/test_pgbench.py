import pytest

from bench.pgbench import WARM_TRANSACTIONS, PgbenchFailed, steady


def line(client: int, ended: float, micros: int) -> str:
    whole = int(ended)
    return f"{client} 0 {micros} 0 {whole} {round((ended - whole) * 1e6)}"


def test_neither_the_first_transactions_nor_the_tail_count() -> None:
    slow = [line(client, 100 + n * 0.1, 90_000) for client in (0, 1) for n in range(WARM_TRANSACTIONS)]
    # 101 transactions, a millisecond apart, and one late one of each client.
    steadily = [line(n % 2, 102 + n / 1000, 2_000) for n in range(101)]
    tail = [line(0, 110, 70_000), line(1, 120, 80_000)]
    told = steady([*tail, *steadily, *slow])
    assert told.rate == pytest.approx(1000)
    assert (told.p50, told.p99) == (0.002, 0.002)


def test_a_run_that_is_over_before_its_clients_are_warm_tells_nothing() -> None:
    with pytest.raises(PgbenchFailed, match="too few"):
        steady([line(0, 100 + n, 1_000) for n in range(WARM_TRANSACTIONS + 1)])
