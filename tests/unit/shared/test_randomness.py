"""Randomness that is fetched in bulk is as good as the system's own."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from shared.randomness import PooledRandom

# The chance that a fair source fails this: below 1e-12 for each of the faces.
FACES, THROWS, TOLERANCE = 6, 60_000, 0.07


@given(st.integers(min_value=0, max_value=70_000))
def test_has_no_more_bits_than_were_asked_for(bits: int) -> None:
    assert PooledRandom().getrandbits(bits).bit_length() <= bits


def test_every_face_comes_up_as_often_as_the_others() -> None:
    rng = PooledRandom()
    seen = Counter(rng.randrange(FACES) for _ in range(THROWS))
    assert set(seen) == set(range(FACES))
    assert all(abs(count * FACES / THROWS - 1) < TOLERANCE for count in seen.values())


def test_never_gives_the_same_bytes_twice() -> None:
    rng = PooledRandom()
    drawn = [rng.getrandbits(128) for _ in range(10_000)]
    assert len(set(drawn)) == len(drawn)
    assert len({PooledRandom().getrandbits(128) for _ in range(100)}) == 100
