"""The database splits money exactly as Python does."""

from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from shared.kit import Kit
from shared.money import PPM, split_fen, split_within


@st.composite
def splits(draw: st.DrawFn) -> list[tuple[int, list[int]]]:
    """Many at once: a round trip to the database is what takes time."""
    made = []
    for _ in range(100):
        cuts = sorted(draw(st.lists(st.integers(0, PPM), min_size=0, max_size=6)))
        shares = [after - before for before, after in zip([0, *cuts], [*cuts, PPM], strict=True)]
        made.append((draw(st.integers(0, 10**12)), shares))
    return made


@hypothesis_settings(
    max_examples=5,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(cases=splits())
async def test_split_fen_has_a_twin_in_sql(kit: Kit, cases: list[tuple[int, list[int]]]) -> None:
    statement = text("SELECT core.split_fen(CAST(:amount AS bigint), CAST(:shares AS bigint[]))")
    within = text("""
        SELECT core.split_within(CAST(:amount AS bigint), CAST(:shares AS bigint[]), CAST(:whole AS bigint[]))
    """)
    async with kit.database.snapshot() as tx:
        for amount, shares in cases:
            found = (await tx.execute(statement, {"amount": amount, "shares": shares})).scalar_one()
            assert found == split_fen(amount, shares)
            # A bill a few fen below the face value is where a part may round up that the whole rounded down.
            whole, bill = split_fen(amount, shares), max(0, amount - amount % 7)
            values = {"amount": bill, "shares": shares, "whole": whole}
            assert (await tx.execute(within, values)).scalar_one() == split_within(bill, shares, whole)
