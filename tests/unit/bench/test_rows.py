from bench.rows import REPORTED, at_least, at_most, row_of


def test_the_median_counts_and_the_range_is_told() -> None:
    row = row_of("write-off", "÷ pgbench", [0.9, 1.2, 1.1, 1.0, 3.0], at_least(1))
    assert (row.value, row.low, row.high, row.reached) == (1.1, 0.9, 3.0, True)
    assert (row.shown, row.range, row.target, row.verdict) == ("1.10", "0.90–3.00", "≥ 1", "yes")


def test_one_measurement_has_no_range() -> None:
    row = row_of("memory", "peak", [1100.0], at_most(1024, "MiB"), unit="MiB")
    assert (row.range, row.shown, row.target, row.verdict) == ("", "1,100 MiB", "≤ 1024 MiB", "NO")


def test_what_is_only_reported_is_neither_reached_nor_missed() -> None:
    row = row_of("CPU", "HTTP worker", [130.0, 150.0], REPORTED, unit="µs")
    assert row.reached is None
    assert row.verdict == ""
