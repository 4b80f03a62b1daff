"""What stands on a hospital's poster, and how the files of all hospitals are named. Pure."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from typing_extensions import override

from services.quota.qrcodes.rules import PngForm, SvgForm, drawn
from shared.documents.csvfiles import csv_file
from shared.documents.papers import DEMO_MARK
from shared.documents.posters import A4, BANNER, Poster, Size, poster

Format = Literal["a4", "banner"]
SIZES: dict[Format, Size] = {"a4": A4, "banner": BANNER}
SLOGAN_DEFAULT = "扫码申领电子健康卡"
LIST_NAME = "二维码清单.csv"
_LIST_HEADER = ("序号", "医共体", "医院", "医院编号", "编码", "链接", "文件夹")
# Behind the others where the archive holds sub-codes, so that the plain list stays what it was.
_SUB_CODE_HEADER = ("类别", "名称")
_KINDS = {"department": "科室", "channel": "渠道", "staff": "人员"}
# What some file system refuses in a name; a folder's name is kept far below the 255 bytes that all take.
_UNSAFE = str.maketrans(dict.fromkeys('\\/:*?"<>|', "_"))
_NAME_MAX = 50


@dataclass(frozen=True, slots=True)
class Printed:
    """A code as its files show it; `place` is its hospital's number in the list, from 1.

    A sub-code has a kind, a label and a number among its hospital's.
    """

    place: int
    hospital_id: str
    hospital: str
    alliance: str
    scene: str
    address: str
    content: Poster
    kind: str | None = None
    label: str = ""
    number: int = 0

    @property
    def folder(self) -> str:
        own = f"{self.place:04d}_{_safe(self.hospital)}"
        if self.kind is None:
            return own
        return f"{own}/{self.number:03d}_{_KINDS[self.kind]}_{_safe(self.label)}"


def _safe(name: str) -> str:
    safe = "".join(symbol for symbol in name.translate(_UNSAFE) if symbol.isprintable())
    return safe[:_NAME_MAX].strip(" .")


def poster_of(
    *, title: str, hospital: str, slogan: str | None, scene: str, address: str, demo: bool
) -> Poster:
    return Poster(
        title=title,
        name=hospital,
        slogan=slogan or SLOGAN_DEFAULT,
        address=address,
        caption=f"微信或支付宝扫一扫　编码 {scene[:4]} {scene[4:8]} {scene[8:]}",
        mark=DEMO_MARK if demo else None,
    )


def list_file(all_of_them: Sequence[Printed], *, sub_codes: bool = False) -> bytes:
    """Every code in the archive, a line each; with `sub_codes`, whose each is."""
    rows = [_listed(one, sub_codes=sub_codes) for one in all_of_them]
    header = (*_LIST_HEADER, *_SUB_CODE_HEADER) if sub_codes else _LIST_HEADER
    return csv_file([header, *rows])


def _listed(one: Printed, *, sub_codes: bool) -> tuple[str | int, ...]:
    told = (one.place, one.alliance, one.hospital, one.hospital_id, one.scene, one.address, one.folder)
    return (*told, _KINDS.get(one.kind or "", "本院"), one.label) if sub_codes else told


def files_of(one: Printed, *, at: datetime, font: Path) -> Iterator[tuple[str, bytes]]:
    """Drawing, picture and both posters of a hospital."""
    yield f"{one.folder}/qr.svg", drawn(one.address, one.hospital, SvgForm())
    yield f"{one.folder}/qr.png", drawn(one.address, one.hospital, PngForm())
    for name, size in SIZES.items():
        yield f"{one.folder}/poster-{name}.pdf", poster(one.content, size, at=at, font=font)


class Archive:
    """A ZIP that is handed on as it grows: a thousand hospitals never stand in memory together."""

    def __init__(self, at: datetime) -> None:
        self._sink = _Sink()
        self._at = at.timetuple()[:6]
        self._zip = zipfile.ZipFile(self._sink, "w", zipfile.ZIP_DEFLATED)

    def add(self, name: str, content: bytes) -> None:
        entry = zipfile.ZipInfo(name, date_time=self._at)
        entry.compress_type = zipfile.ZIP_DEFLATED
        self._zip.writestr(entry, content)

    def close(self) -> None:
        self._zip.close()

    def drain(self) -> bytes:
        """What was written since the last time."""
        return self._sink.drain()


class _Sink(io.RawIOBase):
    """Takes bytes and cannot go back, which is how a ZIP file knows that it is streamed."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: "bytes | bytearray | memoryview", /) -> int:  # type: ignore[override]
        self._parts.append(bytes(data))
        return len(data)

    def drain(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
