import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from shared.crypto import KeyedHash, Sealer, bucket_of, load_keys
from shared.errors import InvariantBroken
from shared.ids import BUCKETS
from shared.settings import Settings, SettingsMissing

OLD, NEW = b"o" * 32, b"n" * 32
SEALER = Sealer({"k2": NEW, "k1": OLD})


@given(clear=st.binary(max_size=500), context=st.binary(max_size=50))
def test_what_was_sealed_opens_in_its_place(clear: bytes, context: bytes) -> None:
    assert SEALER.open(SEALER.seal(clear, context=context), context=context) == clear


@given(clear=st.text(max_size=100), context=st.text(max_size=50))
def test_text_keeps_every_character(clear: str, context: str) -> None:
    assert SEALER.open_text(SEALER.seal_text(clear, context=context), context=context) == clear


def test_one_text_never_looks_the_same_twice() -> None:
    assert len({SEALER.seal(b"532500199001011234", context=b"c") for _ in range(100)}) == 100


@given(place=st.integers(0, 200), bit=st.integers(0, 7))
def test_a_single_changed_bit_is_found(place: int, bit: int) -> None:
    sealed = bytearray(SEALER.seal(b"personal", context=b"row-1"))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(InvariantBroken):
        SEALER.open(bytes(sealed), context=b"row-1")


def test_a_sealed_field_cannot_be_moved_to_another_row() -> None:
    with pytest.raises(InvariantBroken):
        SEALER.open(SEALER.seal(b"personal", context=b"row-1"), context=b"row-2")


@pytest.mark.parametrize("sealed", [b"", b"k2", b"k2:", b"k2:short", b":", b"k9:" + b"x" * 40])
def test_what_never_was_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(InvariantBroken):
        SEALER.open(sealed, context=b"")


def test_keys_rotate() -> None:
    before, during, after = Sealer({"k1": OLD}), SEALER, Sealer({"k2": NEW})
    old = before.seal(b"x", context=b"c")
    assert during.open(old, context=b"c") == b"x"
    assert after.open(during.seal(b"x", context=b"c"), context=b"c") == b"x"
    with pytest.raises(InvariantBroken):
        after.open(old, context=b"c")


def test_equal_values_of_different_kinds_hash_apart() -> None:
    keyed = KeyedHash(b"i" * 32)
    assert keyed.digest("phone", "13800000000") == keyed.digest("phone", "13800000000")
    assert keyed.digest("phone", "13800000000") != keyed.digest("id", "13800000000")
    assert keyed.digest("phone", "1") != KeyedHash(b"j" * 32).digest("phone", "1")


@given(st.lists(st.text()))
def test_many_values_hash_as_each_does_alone(values: list[str]) -> None:
    keyed = KeyedHash(b"i" * 32)
    assert keyed.digests("phone", values) == [keyed.digest("phone", value) for value in values]


@given(st.binary(min_size=32, max_size=32))
def test_bucket_is_the_first_ten_bits(digest: bytes) -> None:
    assert bucket_of(digest) == int.from_bytes(digest, "big") >> 246
    assert 0 <= bucket_of(digest) < BUCKETS


@pytest.mark.parametrize(
    "changed",
    [
        {"index_key": SecretStr("short")},
        {"index_key": SecretStr("not base64 at all!")},
        {"token_key": SecretStr("AAAA")},
        {"data_keys": SecretStr("no-colon")},
        {"data_keys": SecretStr("k1:")},
        {"data_keys": SecretStr("k1:AAAA")},
        {"data_keys": SecretStr("")},
    ],
)
def test_malformed_key_stops_the_start_and_is_not_repeated(changed: dict[str, SecretStr]) -> None:
    key = SecretStr("A" * 43 + "=")
    settings = Settings(
        database_url="postgresql://x",
        redis_url="redis://x",
        data_keys=SecretStr(f"k1:{key.get_secret_value()}"),
        index_key=key,
        token_key=key,
    )
    load_keys(settings)
    with pytest.raises(SettingsMissing) as refused:
        load_keys(settings.model_copy(update=changed))
    assert "HV_" in str(refused.value)
    assert "not base64" not in str(refused.value)
