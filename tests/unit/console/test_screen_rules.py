"""The big screen's breakdowns: whatever the figures, the parts make the whole."""

import hashlib
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.console.screenlinks.rules import VALID_DAYS_MAX
from services.console.screenpages.rules import (
    DAYS,
    RANKED,
    HospitalRow,
    InstitutionRow,
    campaign_days,
    cards_of,
    counties,
    institutions,
    total_of,
    write_offs,
)
from shared.metrics.store import Figure

VENDOR = Path(__file__).parents[3] / "services" / "console" / "pages" / "static" / "vendor"
TODAY = date(2020, 11, 30)
SCOPE = UUID(int=1)
KEYS = [f"k{number}" for number in range(16)]


def figure(measure: str, back: int = 0, *, dim: str = "", dim2: str = "", n: int = 1) -> Figure:
    return Figure(SCOPE, TODAY - timedelta(days=back), measure, dim, dim2, n, [n * 70, n * 30])


FIGURES = st.lists(
    st.builds(
        figure,
        st.sampled_from(["attempt", "draw", "issue", "redeem", "reverse", "card", "card_used", "fund"]),
        st.integers(0, 90),
        dim=st.sampled_from(["", "passed", "won", *KEYS]),
        dim2=st.sampled_from(["", *KEYS]),
        n=st.integers(1, 500),
    ),
    max_size=60,
)


@given(FIGURES)
def test_days_and_what_was_before_make_the_total(figures: list[Figure]) -> None:
    total = total_of(figures)
    days, earlier = campaign_days(figures, TODAY)
    assert len(days) <= DAYS
    assert [day.date for day in days] == sorted({day.date for day in days})
    for name in ("attempts", "passed", "draws", "wins", "issued", "redeemed", "redeemed_fen"):
        assert sum(getattr(day, name) for day in [*days, earlier]) == getattr(total, name)


@given(FIGURES, st.integers(0, 16))
def test_counties_and_ranked_institutions_make_the_total(figures: list[Figure], listed: int) -> None:
    total, counted = total_of(figures), write_offs(figures)
    rows = [InstitutionRow(key, key, ("甲县", "乙县", "")[n % 3]) for n, key in enumerate(KEYS[:listed])]
    first, others = institutions(rows, counted)
    assert len(first) <= RANKED
    places = counties(rows, counted)
    for parts in (places, [*first, others]):
        assert sum(part.redeemed for part in parts) == total.redeemed
        assert sum(part.redeemed_fen for part in parts) == total.redeemed_fen
        assert sum(part.institutions for part in parts) == len({*(row.id for row in rows), *counted})
    for before, after in pairwise(first):
        assert (before.redeemed == after.redeemed) == (before.rank == after.rank)
        assert before.redeemed >= after.redeemed


@given(FIGURES)
def test_units_and_ranked_hospitals_make_what_is_attributed(figures: list[Figure]) -> None:
    """The last hospital merged into the first: its cards and its quota are part of that line."""
    rows = [HospitalRow(key, key, key, ("东", "西", "")[n % 3], 10 * n) for n, key in enumerate(KEYS[:-1])]
    rows.append(HospitalRow(KEYS[-1], KEYS[0], KEYS[-1], "东", 7))
    known = [one for one in figures if one.dim not in {"passed", "won"}]
    cards = cards_of(rows, known)
    assert cards.issued == cards.attributed + cards.unattributed
    assert cards.allocated == sum(row.quota or 0 for row in rows)
    for told in ("issued", "quota"):
        whole = cards.attributed if told == "issued" else cards.allocated
        assert sum(getattr(unit, told) for unit in cards.units) == whole
        assert sum(getattr(one, told) or 0 for one in [*cards.ranking, cards.others]) == whole
    assert sum(unit.hospitals for unit in cards.units) == len(KEYS) - 1


def test_a_campaign_long_over_shows_its_last_days() -> None:
    days, _ = campaign_days([figure("draw", 80, dim="lost"), figure("draw", 70, dim="won")], TODAY)
    assert (days[0].date, days[-1].date) == (TODAY - timedelta(days=80), TODAY - timedelta(days=70))
    assert [day.draws for day in days] == [1, *[0] * 9, 1]


def test_vendored_scripts_are_what_their_makers_published() -> None:
    folders = list(VENDOR.iterdir())
    assert {"echarts-6.1.0", "htmx-2.0.11"} <= {folder.name for folder in folders}
    for folder in folders:
        lines = [line.split() for line in (folder / "SHA256SUMS").read_text().splitlines()]
        sums = {name: digest for digest, name in lines}
        files = [file for file in folder.iterdir() if file.name != "SHA256SUMS"]
        assert {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files} == sums
        assert "LICENSE" in sums


def test_a_link_ends_within_a_month() -> None:
    assert VALID_DAYS_MAX == 30
