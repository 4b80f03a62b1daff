"""What becomes of an activity, and which texts are found to be alike."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.activities.rules import (
    first_state,
    lead_subject,
    plain,
    share_subject,
    similarity,
    text_bands,
)

KEY = hashlib.sha256(b"key of the tests").digest()
REPORT = "红河路菜市场门口长期堆放垃圾，无人清理，夏天气味很大，影响周边居民生活，请有关部门尽快处理。"
REWORDED = "红河路菜市场门口长期堆放垃圾没有人清理，夏天气味很大，严重影响周边居民生活，请部门尽快处理！"
OTHER = "人民公园里有人在非吸烟区吸烟，保安劝阻无效，希望增加巡查人员。"


@pytest.mark.parametrize(
    ("review", "ask_verifier", "state"),
    [
        (False, False, "accepted"),
        (True, False, "pending"),
        (False, True, "pending"),
        (True, True, "pending"),
    ],
)
def test_it_counts_at_once_only_when_nobody_has_to_look(
    review: bool,  # noqa: FBT001 - a row of the table
    ask_verifier: bool,  # noqa: FBT001 - the same
    state: str,
) -> None:
    assert first_state(review=review, ask_verifier=ask_verifier) == state


def test_width_capitals_spaces_and_punctuation_make_no_difference() -> None:
    assert plain("  ＡＢＣ－１２３，红河 路！ ") == plain("abc123红河路") == "abc123红河路"
    assert lead_subject("清垃圾", "红河路 12 号") == lead_subject("清 垃圾", "红河路12号。")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://Weibo.com/a/1", "http://weibo.com/a/1/", True),
        ("https://weibo.com/a/1#top", "https://weibo.com/a/1", True),
        ("https://weibo.com/a/1?x=1", "https://weibo.com/a/1?x=2", False),
        ("https://weibo.com/a/AbC", "https://weibo.com/a/abc", False),
        ("https://[", "https://[", True),
    ],
)
def test_shares_of_one_address_are_told_by_what_makes_an_address(
    one: str,
    other: str,
    same: bool,  # noqa: FBT001 - a row of the table
) -> None:
    assert (share_subject("forwarded", one, "一") == share_subject("forwarded", other, "二")) == same


def test_following_the_same_account_is_the_same_only_under_the_same_name() -> None:
    url = "https://weibo.com/health"
    follower = share_subject("followed", url, "昵称：春天")
    assert follower == share_subject("followed", "HTTPS://WEIBO.com/health/", "昵称:春天")
    assert follower != share_subject("followed", url, "昵称：秋天")
    assert follower != share_subject("registered", url, "昵称：春天")


def shares_a_band(one: str, other: str) -> bool:
    return bool(set(text_bands(one, KEY)) & set(text_bands(other, KEY)))


def test_a_reworded_report_is_found_and_measured() -> None:
    assert shares_a_band(REPORT, REWORDED)
    assert similarity(REPORT, REWORDED) >= 70
    assert similarity(REPORT, OTHER) < 10


def test_bands_tell_nothing_without_the_key() -> None:
    assert not set(text_bands(REPORT, KEY)) & set(text_bands(REPORT, b"another key"))


@given(st.text(max_size=200))
def test_equal_texts_have_equal_bands_and_are_wholly_alike(text: str) -> None:
    spaced = " ".join(text)
    bands = text_bands(text, KEY)
    assert bands == text_bands(text, KEY)
    assert len(bands) in {0, 16}
    assert bool(bands) == bool(plain(text))
    assert all(-(1 << 31) <= band < 1 << 31 for band in bands)
    assert similarity(text, text) == (100 if plain(text) else 0)
    if text.isascii():
        assert text_bands(spaced, KEY) == bands


@given(st.text(max_size=60), st.text(max_size=60))
def test_likeness_is_symmetric_and_a_percentage(one: str, other: str) -> None:
    assert 0 <= similarity(one, other) == similarity(other, one) <= 100


@given(st.lists(st.sampled_from("清垃圾扫厕所勤洗手净餐馆常消毒管集市众参与"), min_size=60, max_size=120))
def test_a_text_with_one_word_changed_is_found(letters: list[str]) -> None:
    text = "".join(letters)
    changed = text[:30] + "别" + text[31:]
    if similarity(text, changed) >= 80:
        assert shares_a_band(text, changed)
