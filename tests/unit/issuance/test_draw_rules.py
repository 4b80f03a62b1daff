"""The draw's value and threshold, against the contract's own words."""

import hashlib
import hmac
import math
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.campaigns.rules import threshold_of
from services.issuance.lottery.rules import draw_value, hmac_pads, is_won, message_prefix
from shared.money import PPM

seeds = st.binary(min_size=32, max_size=32)
texts = st.text(max_size=64)


@given(seeds, st.integers(1, 99), st.text("0123456789abcdef", min_size=34, max_size=34), texts)
def test_the_value_is_what_the_contract_says(seed: bytes, seq: int, chance_id: str, client_seed: str) -> None:
    value = draw_value(seed, message_prefix("honghe-2020", seq), chance_id, client_seed)
    message = f"honghe-2020/{seq}/{chance_id}/{client_seed}".encode()
    assert value == hmac.new(seed, message, hashlib.sha256).digest()


@given(seeds, st.binary(max_size=200))
def test_the_pads_compute_hmac_from_plain_sha256(seed: bytes, message: bytes) -> None:
    inner, outer = hmac_pads(seed)
    value = hashlib.sha256(outer + hashlib.sha256(inner + message).digest()).digest()
    assert value == hmac.digest(seed, message, hashlib.sha256)


@given(st.integers(1, PPM - 1), st.binary(min_size=24, max_size=24))
def test_a_draw_wins_exactly_below_the_threshold(odds_ppm: int, rest: bytes) -> None:
    with localcontext(prec=60):
        below = math.floor(Decimal(odds_ppm) / PPM * 2**64)
    threshold = threshold_of(odds_ppm)
    for number, wins in (
        (below - 1, True),
        (below, False),
        (below + 1, False),
        (0, True),
        (2**64 - 1, False),
    ):
        assert is_won(number.to_bytes(8, "big") + rest, threshold) is wins


@pytest.mark.parametrize("first_bytes", [b"\x00" * 8, b"\xff" * 8])
def test_odds_of_one_always_win(first_bytes: bytes) -> None:
    assert is_won(first_bytes + b"\xff" * 24, threshold_of(PPM))
