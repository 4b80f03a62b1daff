from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import NotFound
from shared.ids import (
    ALPHABET,
    BUCKETS,
    HotId,
    bucket_from_symbols,
    bucket_symbols,
    new_id,
    parse_hot_id,
    parse_uuid,
    random_symbols,
    short_id,
)

HOT_IDS = st.builds(HotId, bucket=st.integers(0, BUCKETS - 1), uuid=st.uuids())


@given(HOT_IDS)
def test_hot_id_comes_back_from_its_text(hot_id: HotId) -> None:
    assert parse_hot_id(str(hot_id)) == hot_id
    assert len(str(hot_id)) == 34


def test_every_bucket_has_two_symbols_of_its_own() -> None:
    texts = [bucket_symbols(bucket) for bucket in range(BUCKETS)]
    assert len(set(texts)) == BUCKETS
    assert [bucket_from_symbols(text) for text in texts] == list(range(BUCKETS))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "00" + "0" * 31,
        "00" + "0" * 33,
        "IL" + "0" * 32,
        "00" + "g" * 32,
        "00" + "0" * 31 + "\n",
        "é" * 34,
    ],
)
def test_text_that_never_was_an_id_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        parse_hot_id(text)


@given(st.text(max_size=50))
def test_any_text_is_an_id_or_not_found(text: str) -> None:
    for parse in (parse_hot_id, parse_uuid):
        try:
            parse(text)
        except NotFound:
            continue


def test_new_ids_are_in_the_order_of_their_making() -> None:
    ids = [new_id() for _ in range(1_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(isinstance(made, UUID) and made.version == 7 for made in ids)


def test_random_texts_use_the_alphabet_that_can_be_read_out() -> None:
    assert not set("ILOU") & set(ALPHABET)
    text = random_symbols(10_000)
    assert set(text) == set(ALPHABET)
    # Each of 32 symbols is expected 312 times; ten standard deviations either way never happens.
    assert all(140 < text.count(symbol) < 490 for symbol in ALPHABET)
    assert short_id("t_").startswith("t_")
    assert len({short_id("") for _ in range(1_000)}) == 1_000
