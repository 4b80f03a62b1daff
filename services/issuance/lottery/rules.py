"""The draw, as api.md publishes it: pure, so that anyone can recompute it (deploy/verify_draws.py does).

value = HMAC-SHA256(phase seed, "{slug}/{seq}/{chance_id}/{client_seed}"); it wins when its first 8 bytes,
read as a big-endian integer, are below floor(odds × 2^64).
"""

import hashlib
import hmac

_HMAC_BLOCK_BYTES = 64
_THRESHOLD_BYTES = 8


def message_prefix(slug: str, seq: int) -> str:
    """What every message of a phase begins with; chance id, "/" and client seed follow."""
    return f"{slug}/{seq}/"


def draw_value(seed: bytes, prefix: str, chance_id: str, client_seed: str) -> bytes:
    return hmac.digest(seed, f"{prefix}{chance_id}/{client_seed}".encode(), hashlib.sha256)


def is_won(value: bytes, below: bytes | None) -> bool:
    """`below` is the odds' threshold; None stands for odds of 1. Equally long bytes compare as numbers."""
    return below is None or value[:_THRESHOLD_BYTES] < below


def hmac_pads(seed: bytes) -> tuple[bytes, bytes]:
    """The inner and the outer keyed block of HMAC (RFC 2104), with which SQL computes it from sha256().

    They are as secret as the seed.
    """
    block = seed.ljust(_HMAC_BLOCK_BYTES, b"\0")
    return bytes(byte ^ 0x36 for byte in block), bytes(byte ^ 0x5C for byte in block)
