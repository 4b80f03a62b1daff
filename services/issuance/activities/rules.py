"""What becomes of an activity, and what makes two of them look alike. Pure.

Likeness is found without keeping text in clear: a text leaves a few keyed numbers (bands) behind, and texts
that share most of their pairs of characters share at least one of them (MinHash). How alike two texts are
is then computed from the texts themselves.
"""

import unicodedata
from hashlib import blake2b
from typing import Literal
from urllib.parse import urlsplit

State = Literal["pending", "accepted", "rejected"]
ShareKind = Literal["forwarded", "followed", "registered"]

# 16 bands of 5 minima: of texts with 80 % of their pairs in common all share a band, with half of them in
# common every second, and with a tenth (two reports that have nothing to do with each other) hardly any.
_BANDS = 16
_ROWS = 5
# A prime, so that every step through the bins meets all of them.
_BINS = 83
_PAIR = 2
_HASH_BYTES = 8
_BAND_BYTES = 4


def first_state(*, review: bool, ask_verifier: bool) -> State:
    """A verifier decides instead of staff, and staff where it cannot; else what was sent counts at once."""
    return "pending" if review or ask_verifier else "accepted"


def plain(text: str) -> str:
    """The text without what people write differently: width, capitals, spaces, punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def share_subject(kind: ShareKind, url: str, words: str) -> str:
    """What a share is about: its address, however its host is written and whatever place in it is meant.

    Many people follow the same account or register at the same place: there only equal words make it one.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        address = url
    else:
        address = f"{parts.netloc.casefold()}{parts.path.rstrip('/')}?{parts.query}"
    return address if kind == "forwarded" else f"{kind}\n{address}\n{plain(words)}"


def lead_subject(category: str, place: str) -> str:
    """What a lead is about: this kind of thing at this place."""
    return f"{plain(category)}\n{plain(place)}"


def text_bands(text: str, key: bytes) -> list[int]:
    """Numbers of 32 bits; none for a text without letters and digits. `key` has at most 64 bytes."""
    minima: list[int | None] = [None] * _BINS
    for pair in _pairs(plain(text)):
        value = int.from_bytes(blake2b(pair.encode(), key=key, digest_size=_HASH_BYTES).digest(), "big")
        place = value % _BINS
        least = minima[place]
        minima[place] = value if least is None else min(least, value)
    if all(least is None for least in minima):
        return []
    filled = [_from(minima, place) for place in range(_BANDS * _ROWS)]
    return [_band(filled[start : start + _ROWS], start, key) for start in range(0, len(filled), _ROWS)]


def similarity(one: str, other: str) -> int:
    """Which part of the two texts' pairs of characters they have in common, in per cent."""
    ours, theirs = _pairs(plain(one)), _pairs(plain(other))
    together = ours | theirs
    return 100 * len(ours & theirs) // len(together) if together else 0


def _pairs(text: str) -> set[str]:
    if len(text) < _PAIR:
        return {text} - {""}
    return {text[place : place + _PAIR] for place in range(len(text) - _PAIR + 1)}


def _from(minima: list[int | None], place: int) -> int:
    """The minimum of a bin. An empty one (short texts have many) takes another's.

    Each looks for it in an order of its own: neighbours with the same minimum would make a band of one.
    """
    stride = 1 + place * 37 % (_BINS - 1)
    for step in range(_BINS):
        least = minima[(place + step * stride) % _BINS]
        if least is not None:
            return least
    raise ValueError("no bin holds anything")


def _band(minima: list[int], place: int, key: bytes) -> int:
    told = f"{place}:{minima}".encode()
    return int.from_bytes(blake2b(told, key=key, digest_size=_BAND_BYTES).digest(), "big", signed=True)
