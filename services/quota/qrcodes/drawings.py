"""A code as a drawing or as a picture for print. Pure."""

import io
from dataclasses import dataclass

import segno

# Printed codes get rained on and scribbled over: a quarter of the modules may be lost.
_ERROR_CORRECTION = "q"
_PRINT_MM = 80
_MM_PER_INCH = 25.4
DPI_DEFAULT = 300


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
