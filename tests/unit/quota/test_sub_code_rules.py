import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quota.subcodes.rules import Counts, added, is_personal

counts = st.builds(Counts, st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))


@given(st.dictionaries(st.text(max_size=3), counts))
def test_any_division_of_the_codes_adds_up_to_the_whole(found: dict[str, Counts]) -> None:
    scenes = sorted(found)
    first, second = scenes[::2], scenes[1::2]
    assert added(found, first) + added(found, second) == added(found, scenes)
    assert added(found, ["nobody's"]) == found.get("nobody's", Counts())


@pytest.mark.parametrize("label", ["13800138000", "张三 138-0013-8000", "330382199001011234"])
def test_phone_and_identity_numbers_are_personal(label: str) -> None:
    assert is_personal(label)


@pytest.mark.parametrize("label", ["内科", "工号 20231", "1 号楼 2 层 3 区"])
def test_what_departments_and_work_numbers_look_like_is_not(label: str) -> None:
    assert not is_personal(label)
