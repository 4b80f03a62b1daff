from collections import Counter
from datetime import UTC, datetime

from bench.hotpath.pairs import Operation, Run
from bench.machine import HTTP, Usage
from bench.profile import Profile
from bench.report import Report, markdown
from bench.rows import REPORTED, at_least, row_of
from bench.suite import Measured

AT = datetime(2026, 11, 23, 15, 4, tzinfo=UTC)


def run(rate: float, *, foreign: float = 0.0) -> Run:
    return Run(1_000, rate, 0.010, 0.025, Usage(1.0, {HTTP: 0.15}, foreign))


def operation(*ratios: float) -> Operation:
    return Operation(
        "draw", "one item", [run(1_000 * each) for each in ratios], [run(1_000, foreign=0.2)] * len(ratios)
    )


def page(*, void: str = "", profile: Profile | None = None) -> str:
    one = operation(1.0, 2.0, 3.0)
    measured = Measured(
        facts={"processor": "a fine one, 2 cores"},
        rows=[one.row(at_least(1.5), "÷ pgbench"), row_of("CPU", "of all", [12.0], REPORTED, unit="µs")],
        operations=[one],
        profile=profile or Profile(),
        profiled_micros=150.0,
        void=void,
    )
    return markdown(Report(at=AT, size="short", measured=measured))


def test_the_page_has_the_table_the_costs_and_the_machine() -> None:
    told = page()
    assert "# Benchmark, 2026-11-23 15:04 UTC (short)" in told
    assert "| draw | ÷ pgbench | ≥ 1.5 | 2.00 | 1.00–3.00 | yes | 2,000/s ÷ 1,000/s |" in told
    assert "| draw | HTTP | 2,000 | 10.0 | 25.0 | 150 |" in told
    assert "- processor: a fine one, 2 cores" in told
    assert "Others used 10% of the machine's cores in the median run, 20% in the busiest." in told


def test_a_void_run_says_so_before_its_figures() -> None:
    told = page(void="one item was lost")
    assert told.index("Void: one item was lost") < told.index("| draw |")


def test_the_profile_is_told_by_layer_or_its_absence_in_a_sentence() -> None:
    looked = Profile(
        looks=2, by_layer=Counter({"asyncpg": 1, "answer": 1}), by_frame=Counter({"send (x.py)": 1})
    )
    assert "| asyncpg | 50% | 75 |" in page(profile=looked)
    assert "py-spy is not installed" in page(profile=Profile(missing="py-spy is not installed"))
