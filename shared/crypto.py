"""Sealing and keyed hashing, behind one interface so that another cipher suite can take its place.

Personal fields are sealed with AES-256-GCM; the key's id stands in front of the ciphertext, so that
keys can be rotated under load. Look-ups go by a keyed hash (HMAC-SHA256) whose key never touches the
database: a leaked table can neither be read nor matched against a list of id numbers.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.errors import invariant
from shared.ids import BUCKET_BITS
from shared.settings import Settings, SettingsMissing

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Sealer:
    """Authenticated encryption with rotation: the first key seals, every known key opens."""

    def __init__(self, keys: dict[str, bytes]) -> None:
        invariant(keys, "at least one data key is needed")
        self._ciphers = {key_id.encode(): AESGCM(key) for key_id, key in keys.items()}
        self._current = next(iter(self._ciphers))

    def seal(self, clear: bytes, *, context: bytes) -> bytes:
        """`context` ties the ciphertext to its place (table and row), so that it cannot be moved."""
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._ciphers[self._current]
        return self._current + b":" + nonce + cipher.encrypt(nonce, clear, context)

    def open(self, sealed: bytes, *, context: bytes) -> bytes:
        """Raises InvariantBroken when the ciphertext was changed or moved, or its key is unknown."""
        key_id, _, rest = sealed.partition(b":")
        cipher = self._ciphers.get(key_id)
        invariant(cipher is not None, f"data key {key_id!r} is not configured (HV_DATA_KEYS)")
        assert cipher is not None  # noqa: S101 - narrows the type; the invariant above already refused
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            # ValueError: cut off so short that not even the nonce is whole.
            invariant(condition=False, sentence="a sealed field does not open: altered, moved or wrong key")
            raise

    def seal_text(self, clear: str, *, context: str) -> bytes:
        return self.seal(clear.encode(), context=context.encode())

    def open_text(self, sealed: bytes, *, context: str) -> str:
        return self.open(sealed, context=context.encode()).decode()


@dataclass(frozen=True, slots=True)
class KeyedHash:
    """HMAC-SHA256 under the index key; `domain` keeps equal values of different kinds apart."""

    key: bytes

    def digest(self, domain: str, value: str) -> bytes:
        return hmac.digest(self.key, f"{domain}\n{value}".encode(), hashlib.sha256)

    def digests(self, domain: str, values: Iterable[str]) -> list[bytes]:
        """As `digest`, for many values: key and domain are hashed once for all of them."""
        begun = hmac.new(self.key, f"{domain}\n".encode(), hashlib.sha256)
        found = []
        for value in values:
            one = begun.copy()
            one.update(value.encode())
            found.append(one.digest())
        return found


def bucket_of(digest: bytes) -> int:
    """The first 10 bits of a keyed hash: where its rows live (0–1023)."""
    return int.from_bytes(digest[:2], "big") >> (16 - BUCKET_BITS)


@dataclass(frozen=True, slots=True)
class Keys:
    sealer: Sealer
    index: KeyedHash
    token: bytes


def _decode(name: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise SettingsMissing(f"set {name} to the base64 text of 32 random bytes (openssl rand -base64 32)")
    return key


def load_keys(settings: Settings) -> Keys:
    """Raises SettingsMissing for a key that is absent or has the wrong length."""
    data_keys: dict[str, bytes] = {}
    for entry in settings.data_keys.get_secret_value().split(","):
        key_id, _, text = entry.strip().partition(":")
        if not key_id or not text:
            raise SettingsMissing(
                "set HV_DATA_KEYS to id:base64 pairs, comma separated, the current one first"
            )
        data_keys[key_id] = _decode("HV_DATA_KEYS", text)
    return Keys(
        sealer=Sealer(data_keys),
        index=KeyedHash(_decode("HV_INDEX_KEY", settings.index_key.get_secret_value())),
        token=_decode("HV_TOKEN_KEY", settings.token_key.get_secret_value()),
    )
