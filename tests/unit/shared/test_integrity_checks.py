from collections import Counter

import pytest

from shared.integrity.catalogue import SqlCheck, sql_checks


@pytest.mark.parametrize("check", sql_checks(), ids=lambda check: check.file)
def test_check_has_a_name_and_says_it_in_chinese(check: SqlCheck) -> None:
    assert check.name.replace("_", "").isalnum()
    assert check.name.islower()
    # The page for clerks shows it; `-- zh: …` is the second line of the file.
    assert check.title
    assert not check.title.isascii()


def test_names_are_given_once() -> None:
    assert [name for name, times in Counter(check.name for check in sql_checks()).items() if times > 1] == []
