"""Names of hospitals: exact rules make one spelling, nearness only offers."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quota.hospitalnames.rules import NEAR_MIN, KnownName, Names, name_key, similarity
from services.quota.tablechecks.operations import check_files
from shared.errors import InvalidRequest

DATA = Path(__file__).resolve().parents[3] / "deploy" / "demo_data" / "yueqing-2020" / "hospitals.csv"


def names_of(*names: str) -> Names:
    return Names(KnownName(f"hos_{place}", name, name, name_key(name)) for place, name in enumerate(names))


def yueqing() -> list[str]:
    with DATA.open(encoding="utf-8-sig") as file:
        return [row["hospital"] for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    "spelling",
    [
        "乐清市人民医院(总院)",
        "乐清市人民医院（总院）",
        " 乐清市 人民医院【总院】",
        "乐清市人民医院〔总院〕",
        "乐清市人民医院［总院］",
    ],
)
def test_width_spaces_and_shapes_of_brackets_make_no_difference(spelling: str) -> None:
    assert names_of("乐清市人民医院（总院）").find(spelling) == "hos_0"


@pytest.mark.parametrize("other", ["人民医院", "樂清市人民醫院", "乐清县人民医院", "乐清市人民医院总院"])
def test_no_other_difference_is_taken_for_the_same_name(other: str) -> None:
    assert names_of("乐清市人民医院").find(other) is None


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("人民医院", "乐清市人民医院"),
        ("乐清人民医院", "乐清市人民医院"),
        ("乐清市人民医院（总院）", "乐清市人民医院"),
        ("乐清市第2人民医院", "乐清市第二人民医院"),
        ("乐清市石帆社区卫生服务中心", "乐清市石帆街道社区卫生服务中心"),
        ("石帆街道社区卫生服务中心", "乐清市石帆街道社区卫生服务中心"),
        ("乐清市岭抵乡卫生院", "乐清市岭底乡卫生院"),
        ("乐清妇幼保健院", "乐清市妇幼保健院"),
        ("虹桥中心卫生院", "乐清市虹桥中心卫生院"),
    ],
)
def test_a_name_that_drifted_is_offered_first(sent: str, meant: str) -> None:
    names = names_of(*yueqing())
    assert names.find(sent) is None
    near = names.near(sent)
    assert near[0].name == meant
    assert NEAR_MIN <= near[0].score < 1


@pytest.mark.parametrize("other", ["温州市人民医院", "乐清市第四人民医院", "乐清市第一人民医院", "口腔医院"])
def test_another_city_numeral_or_kind_is_not_near(other: str) -> None:
    assert names_of(*yueqing()).near(other) == []


def test_an_id_finds_its_hospital_and_a_name_of_another_goes_before_it() -> None:
    names = names_of("甲", "hos_0")
    assert (names.find("hos_1"), names.find("hos_0")) == ("hos_1", "hos_1")


def test_at_most_three_are_offered_each_hospital_once_by_its_nearest_name() -> None:
    names = Names(
        [
            *(
                KnownName("hos_1", "城东卫生院", name, name_key(name))
                for name in ("城东卫生院", "城东卫生所")
            ),
            *(
                KnownName(f"h{n}", f"城东{n}", f"城东卫{c}院", f"城东卫{c}院")
                for n, c in enumerate("甲乙丙丁")
            ),
        ]
    )
    near = names.near("城东卫升院")
    assert len(near) == 3
    assert len({entry.hospital_id for entry in near}) == 3
    assert [entry.score for entry in near] == sorted((entry.score for entry in near), reverse=True)


@given(st.text(max_size=12), st.text(max_size=12))
def test_similarity_is_symmetric_and_one_only_for_equals(one: str, other: str) -> None:
    score = similarity(one, other)
    assert score == similarity(other, one)
    assert 0 <= score <= 1
    assert (score == 1) == (one == other)


@given(st.text(alphabet="乐清市 人民（）()【】ＡａB・·－—12", min_size=1, max_size=30))
def test_the_key_of_a_key_is_the_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@given(
    st.lists(st.text(alphabet="乐清市县第一二人民医院中心()（）【】 ", min_size=1, max_size=10), max_size=8),
    st.text(max_size=10),
)
def test_who_is_found_is_never_only_near(known: list[str], sent: str) -> None:
    names = names_of(*known)
    found = names.find(sent)
    if found is not None and names.has(sent):
        assert name_key(sent) in {name_key(name) for name in known}
    assert all(near.score < 1 for near in names.near(sent))


def test_a_table_check_offers_names_and_alliances_that_are_near() -> None:
    table = "医共体,医院,任务数\n人民医院医共体,乐清市人民医院,60\n人民医院医共体,乐清市中医院,40\n".encode()
    moved = '[{"from": "乐清人民医院", "to": "乐清市中医院", "share_points": 1, "reason": "r"}]'
    with pytest.raises(InvalidRequest) as refused:
        check_files(table, adjustments=moved)
    assert [fault.message for fault in refused.value.faults] == [
        "表中没有“乐清人民医院”，相近的有：乐清市人民医院（0.86）"
    ]
    totals = "alliance,published_total\n人民医院医供体,100\n".encode()
    found = check_files(table, totals=totals).findings
    assert [finding.kind for finding in found] == ["unknown_alliance"]
    assert "相近的有：人民医院医共体" in found[0].message
    spelled = "alliance,published_total\n人民医院 医共体,100\n".encode()
    assert check_files(table, totals=spelled).ok
