"""Only the pixels of an uploaded picture are kept, and nothing that is no picture gets in."""

import contextlib
import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.issuance.photos import rules
from services.issuance.photos.rules import PhotoRefused, look_bands, redrawn
from tests.support.pictures import SECRET, photo, scene, telling_photo, told_exif

KINDS = ("JPEG", "PNG", "WEBP")


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def differing_bits(one: int, other: int) -> int:
    return ((one ^ other) & ((1 << 64) - 1)).bit_count()


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_but_the_pixels_is_left_of_a_picture(kind: str) -> None:
    upload = telling_photo(kind)
    assert SECRET in upload
    assert dict(opened(upload).getexif())
    kept = redrawn(upload)
    assert SECRET not in kept.jpeg
    assert b"Exif" not in kept.jpeg
    picture = opened(kept.jpeg)
    assert picture.format == "JPEG"
    assert dict(picture.getexif()) == {}
    assert not picture.info.keys() & {"exif", "comment", "xmp", "icc_profile", "photoshop"}


@pytest.mark.parametrize("kind", KINDS)
def test_the_pixels_are_the_uploads(kind: str) -> None:
    kept = redrawn(photo(3, kind))
    assert (kept.width, kept.height) == (320, 240)
    shown, meant = opened(kept.jpeg).convert("RGB"), scene(3)
    for spot in ((10, 10), (160, 120), (310, 230)):
        there, wanted = shown.getpixel(spot), meant.getpixel(spot)
        assert isinstance(there, tuple)
        assert isinstance(wanted, tuple)
        assert max(abs(a - b) for a, b in zip(there, wanted, strict=True)) < 25


def test_a_picture_taken_sideways_is_upright_without_its_note() -> None:
    kept = redrawn(photo(2, exif=told_exif(orientation=6)))
    assert (kept.width, kept.height) == (240, 320)


def test_large_pictures_are_scaled_down() -> None:
    file = io.BytesIO()
    Image.new("RGB", (4000, 1000), (9, 9, 9)).save(file, "JPEG")
    kept = redrawn(file.getvalue())
    assert (kept.width, kept.height) == (2048, 512)


def test_what_shows_through_is_white() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(file, "PNG")
    assert opened(redrawn(file.getvalue()).jpeg).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "I;16", "CMYK"])
def test_every_kind_of_colour_can_be_kept(mode: str) -> None:
    file = io.BytesIO()
    Image.new(mode, (30, 20)).save(file, "JPEG" if mode == "CMYK" else "PNG")
    assert redrawn(file.getvalue()).width == 30


def gif() -> bytes:
    file = io.BytesIO()
    scene(1).save(file, "GIF")
    return file.getvalue()


@pytest.mark.parametrize(
    ("upload", "code"),
    [
        (b"", "photo_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "photo_type"),
        (gif(), "photo_type"),
        (b"%PDF-1.7", "photo_type"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "photo_type"),
        (b"\xff\xd8\xff" + b"\x00" * 100, "photo_type"),
        (photo()[:2000], "photo_unreadable"),
        (photo(kind="PNG")[:2000], "photo_unreadable"),
        (photo(kind="WEBP")[:500], "photo_unreadable"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(upload: bytes, code: str) -> None:
    with pytest.raises(PhotoRefused) as refused:
        redrawn(upload)
    assert refused.value.code == code
    assert refused.value.message


def test_a_small_file_that_unfolds_to_a_huge_picture_is_refused_before_it_unfolds() -> None:
    file = io.BytesIO()
    Image.new("1", (10_000, 2_600)).save(file, "PNG")
    assert len(file.getvalue()) < 10_000
    with pytest.raises(PhotoRefused) as refused:
        redrawn(file.getvalue())
    assert refused.value.code == "photo_too_large"


def test_equal_pictures_have_equal_hashes_whatever_else_the_files_say() -> None:
    assert redrawn(photo(5)).content_hash == redrawn(photo(5, exif=told_exif())).content_hash
    assert redrawn(photo(5)).content_hash != redrawn(photo(6)).content_hash


def test_a_picture_that_was_scaled_and_compressed_again_looks_like_itself() -> None:
    for seed in range(10):
        again = io.BytesIO()
        scene(seed).resize((640, 480)).save(again, "WEBP", quality=40)
        one, other = redrawn(photo(seed)).look, redrawn(again.getvalue()).look
        assert differing_bits(one, other) <= 3
        assert set(look_bands(one)) & set(look_bands(other))
        assert differing_bits(one, redrawn(photo(seed + 100)).look) > 10


@given(st.integers(min_value=-(1 << 63), max_value=(1 << 63) - 1), st.sets(st.integers(0, 63), max_size=3))
def test_looks_that_differ_in_three_bits_share_a_band(look: int, bits: set[int]) -> None:
    other = look
    for bit in bits:
        other ^= 1 << bit
    assert len(look_bands(look)) == len(set(look_bands(look))) == 4
    assert set(look_bands(look)) & set(look_bands(other))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(KINDS), st.integers(0, 2**32), st.integers(1, 30))
def test_a_damaged_file_is_kept_or_refused_and_never_a_fault(kind: str, seed: int, damage: int) -> None:
    dice = random.Random(seed)
    content = bytearray(telling_photo(kind))
    for _ in range(damage):
        content[dice.randrange(len(content))] = dice.randrange(256)
    with contextlib.suppress(PhotoRefused):
        assert redrawn(bytes(content)).jpeg.startswith(b"\xff\xd8\xff")


def test_limits_fit_what_phones_make() -> None:
    assert rules.PIXELS_MAX >= 48_000_000
    assert rules.BYTES_MAX == 8_000_000
