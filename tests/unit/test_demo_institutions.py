from collections import Counter

import pytest
import yaml

from deploy.demo_data.institutions import (
    COUNTIES,
    CREDIT_SYMBOLS,
    DIRECTORY,
    Institution,
    build_directory,
    credit_code,
    organisation_code,
    render,
)


@pytest.fixture(scope="module")
def directory() -> list[Institution]:
    shipped: list[Institution] = yaml.safe_load(DIRECTORY.read_text("utf-8"))
    return shipped


def test_the_shipped_directory_is_the_generated_one() -> None:
    assert DIRECTORY.read_text("utf-8") == render(build_directory())


def test_as_many_of_each_category_as_published(directory: list[Institution]) -> None:
    assert Counter(entry["category"] for entry in directory) == {
        "checkup_hospital": 22,
        "nucleic_acid_lab": 9,
        "training_centre": 2,
        "disinfection_supplier": 3,
        "sports_venue": 10,
        "sports_shop": 2,
        "general_merchant": 36,
    }
    assert len(directory) == 84


def test_twenty_checkup_hospitals_are_public(directory: list[Institution]) -> None:
    public = Counter(entry["public"] for entry in directory if "public" in entry)
    assert public == {True: 20, False: 2}
    assert {entry["category"] for entry in directory if "public" in entry} == {"checkup_hospital"}


def test_every_voucher_type_is_accepted_somewhere(directory: list[Institution]) -> None:
    assert Counter(voucher_type for entry in directory for voucher_type in entry["accepts"]) == {
        "checkup": 22,
        "nucleic_acid_test": 9,
        "health_training": 2,
        "disinfection_kit": 3,
        "fitness": 12,
        "general_50": 36,
        "general_100": 36,
    }


def test_the_counties_share_evenly(directory: list[Institution]) -> None:
    counties = Counter(entry["county"] for entry in directory)
    assert set(counties) == set(COUNTIES)
    assert len(COUNTIES) == 13
    assert max(counties.values()) - min(counties.values()) <= 1


def test_names_and_addresses_say_that_they_are_examples(directory: list[Institution]) -> None:
    assert all(entry["name"].startswith(f"示例·{entry['county']}") for entry in directory)
    assert all(entry["address"].startswith("示例地址") for entry in directory)
    assert len({entry["name"] for entry in directory}) == len(directory)


def test_credit_codes_are_unique_and_check(directory: list[Institution]) -> None:
    codes = [entry["credit_code"] for entry in directory]
    assert len(set(codes)) == len(codes)
    for code in codes:
        weighted = sum(CREDIT_SYMBOLS.index(symbol) * 3**place for place, symbol in enumerate(code[:17]))
        assert CREDIT_SYMBOLS[(31 - weighted % 31) % 31] == code[17]
        assert organisation_code(code[8:16]) == code[8:17]


def test_the_worked_example_of_the_standard() -> None:
    assert credit_code("91350100M000100Y4") == "91350100M000100Y43"
    assert organisation_code("D2143569") == "D2143569X"


def test_a_sum_without_remainder_checks_as_nought() -> None:
    assert credit_code("0" * 17) == "0" * 18


def test_every_single_slip_of_a_credit_code_is_noticed() -> None:
    code = build_directory()[0]["credit_code"]
    for place in range(17):
        for symbol in CREDIT_SYMBOLS.replace(code[place], ""):
            slipped = code[:place] + symbol + code[place + 1 :]
            assert credit_code(slipped[:17]) != slipped


@pytest.mark.parametrize("body", ["", "0" * 16, "0" * 18, "I" + "0" * 16])
def test_what_is_no_body_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match=r"credit code body|substring"):
        credit_code(body)
