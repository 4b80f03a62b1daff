"""Scenes, the short text in a hospital's code, and how codes are drawn. Pure: randomness comes in."""

import io
from collections.abc import Callable
from dataclasses import dataclass

import segno

from shared.ids import ALPHABET, check_symbol

# WeChat takes at most 32 characters. 55 random bits cannot be guessed or met twice; the last symbol is
# the check. Alphanumeric capitals also make the smallest QR codes.
_RANDOM_SYMBOLS = 11
SCENE_LENGTH = _RANDOM_SYMBOLS + 1
# As sent by a card platform; anything longer is no scene of anybody's.
SENT_LENGTH_MAX = 64
# Typing help of Crockford's alphabet: letters that are not in it stand for the digits they look like.
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})

LANDING_SCENE = "{scene}"

# Printed codes get rained on and scribbled over: a quarter of the modules may be lost.
_ERROR_CORRECTION = "q"
_PRINT_MM = 80
_MM_PER_INCH = 25.4
DPI_DEFAULT = 300


def make_scene(random_symbols: Callable[[int], str]) -> str:
    """A new scene. Bodies whose check value has no symbol in the alphabet are drawn again."""
    while True:
        body = random_symbols(_RANDOM_SYMBOLS)
        check = check_symbol(body)
        if check is not None:
            return body + check


def read_scene(sent: str | None) -> str | None:
    """The scene that was sent or typed, or None for what cannot be one of ours."""
    if sent is None or len(sent) > SENT_LENGTH_MAX or not sent.isascii():
        return None
    scene = sent.upper().translate(_LOOKALIKES)
    if len(scene) != SCENE_LENGTH or not set(scene) <= set(ALPHABET):
        return None
    return scene if check_symbol(scene[:-1]) == scene[-1] else None


def landing_address(landing_url: str, scene: str) -> str:
    """Where a scan leads. Only an address that asks for the scene gets it."""
    return landing_url.replace(LANDING_SCENE, scene)


def scan_path(scene: str) -> str:
    """The path behind the QR code, on the platform's own origin."""
    return f"/quota/v1/s/{scene}"


@dataclass(frozen=True, slots=True)
class SvgForm:
    """`scale` is units for each module."""

    scale: int = 8


@dataclass(frozen=True, slots=True)
class PngForm:
    """`scale` is dots for each module; without it the code is 80 mm wide, or a little more, at `dpi`."""

    dpi: int = DPI_DEFAULT
    scale: int | None = None


def drawn(address: str, title: str, form: SvgForm | PngForm) -> bytes:
    """The address as a code with its quiet zone, dark on white."""
    code = segno.make_qr(address, error=_ERROR_CORRECTION)
    buffer = io.BytesIO()
    if isinstance(form, SvgForm):
        code.save(buffer, kind="svg", scale=form.scale, title=title, light="white")
    else:
        modules, _ = code.symbol_size()
        scale = form.scale or -(-int(_PRINT_MM / _MM_PER_INCH * form.dpi) // modules)
        code.save(buffer, kind="png", scale=scale, dpi=form.dpi)
    return buffer.getvalue()
