import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quota.qrcodes.rules import SCENE_LENGTH, landing_address, make_scene, read_scene
from shared.ids import ALPHABET


def made(seed: int) -> str:
    rng = random.Random(seed)
    return make_scene(lambda count: "".join(rng.choices(ALPHABET, k=count)))


scenes = st.integers().map(made)


@given(scenes)
def test_a_scene_fits_into_a_mini_program_code_and_reads_back(scene: str) -> None:
    assert len(scene) == SCENE_LENGTH <= 32
    assert scene.isascii()
    assert read_scene(scene) == scene


@given(scenes, st.integers(0, SCENE_LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_symbol_is_noticed(scene: str, place: int, symbol: str) -> None:
    if scene[place] != symbol:
        assert read_scene(scene[:place] + symbol + scene[place + 1 :]) is None


@given(scenes, st.integers(0, SCENE_LENGTH - 2))
def test_swapped_neighbours_are_noticed(scene: str, place: int) -> None:
    swapped = scene[:place] + scene[place + 1] + scene[place] + scene[place + 2 :]
    assert (read_scene(swapped) is None) == (swapped != scene)


@given(scenes)
def test_typing_is_forgiven_where_letters_look_like_digits(scene: str) -> None:
    typed = scene.lower().replace("0", "o").replace("1", "l")
    assert read_scene(f"{typed[:4]} {typed[4:8]}-{typed[8:]}") == scene


@pytest.mark.parametrize("sent", [None, "", "A", "甲" * 12, "A" * 65, "\x00" * 12, "UUUUUUUUUUUU"])
def test_what_cannot_be_a_scene_is_none(sent: str | None) -> None:
    assert read_scene(sent) is None


def test_only_an_address_that_asks_for_the_scene_gets_it() -> None:
    assert landing_address("/app", "ABC") == "/app"
    assert landing_address("https://x.example/apply?s={scene}", "ABC") == "https://x.example/apply?s=ABC"
