"""Lines on posters: nothing lost, within the width, and broken where Chinese may be broken."""

from hypothesis import given
from hypothesis import strategies as st

from shared.documents.posters import balanced


def lines_of(text: str, width: int) -> list[str]:
    return balanced(text, width, lambda line: float(len(line)))


@given(st.text("市医院（）、，。", min_size=1, max_size=80), st.integers(2, 40))
def test_nothing_is_lost(text: str, width: int) -> None:
    assert "".join(lines_of(text, width)) == text


@given(st.text("市医院儿科中心", min_size=1, max_size=80), st.integers(1, 40))
def test_lines_fit_and_are_about_equally_long(text: str, width: int) -> None:
    lengths = [len(line) for line in lines_of(text, width)]
    assert max(lengths) <= width
    assert max(lengths) - min(lengths) <= 1


@given(
    st.lists(st.sampled_from(["市人民医院", "儿科", "（北院区）", "、"]), min_size=1, max_size=12).map(
        "".join
    )
)
def test_a_line_begins_with_no_closing_mark_and_ends_with_no_opening_one(text: str) -> None:
    lines = lines_of(text, 14)
    assert not any(line[0] in "）、" for line in lines[1:])
    assert not any(line[-1] == "（" for line in lines)


def test_a_bracket_stays_with_its_word() -> None:
    assert lines_of("妇女儿童联合诊疗中心（北院区）", 8) == ["妇女儿童联合诊疗", "中心（北院区）"]
