"""The codes and posters of a programme's hospitals, for the bureau."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Response

from services.console.codepages.rules import CODE_FILES
from services.console.pages.routes import BureauReader, page_router
from services.console.pages.schemas import EXPORTED_MAX, listed_file
from shared.clients.services import at
from shared.errors import NotFound

_SLUG_LENGTH_MAX = 64
_CURSOR_LENGTH_MAX = 200
_PATH = "/console/quota/codes"
_HEADER = ("医院", "医共体", "编码")
_WIDTHS = (40, 30, 24)

router = page_router(_PATH)

Slug = Annotated[str, Query(max_length=_SLUG_LENGTH_MAX)]


@router.get("")
async def codes(
    visitor: BureauReader,
    programme: Slug = "",
    cursor: Annotated[str | None, Query(max_length=_CURSOR_LENGTH_MAX)] = None,
) -> Response:
    programmes = (await visitor.calls.get(at("quota", "programmes"), {"limit": 200}))["items"]
    slug = programme or next((one["slug"] for one in programmes), "")
    hospitals: dict[str, Any] = {"items": [], "next_cursor": None, "total": 0}
    if slug:
        hospitals = await visitor.calls.get(at("quota", "programmes", slug, "hospitals"), {"cursor": cursor})
    further = hospitals["next_cursor"]
    return visitor.page(
        "codepages/codes.html",
        here="codes",
        programmes=[(one["slug"], one["title"], one["title"]) for one in programmes],
        slug=slug,
        hospitals=hospitals["items"],
        total=hospitals["total"],
        first=f"{_PATH}?{urlencode({'programme': slug})}" if cursor else "",
        further=f"{_PATH}?{urlencode({'programme': slug, 'cursor': further})}" if further else "",
    )


@router.get("/export.xlsx")
async def export(visitor: BureauReader, programme: Slug) -> Response:
    path = at("quota", "programmes", programme, "hospitals")
    items = await visitor.calls.every(path, {}, most=EXPORTED_MAX)
    rows = [(one["hospital"], one["alliance"] or "", one["scene"]) for one in items]
    return await listed_file("医院二维码", _HEADER, rows, _WIDTHS)


@router.get("/all.zip")
async def all_files(visitor: BureauReader, programme: Slug, *, sub_codes: bool = False) -> Response:
    path = at("quota", "programmes", programme, "qr.zip")
    return await visitor.file(path, f"{programme}-二维码与海报.zip", {"sub_codes": sub_codes})


@router.get("/{hospital_id}/{name}")
async def file(visitor: BureauReader, hospital_id: str, name: str) -> Response:
    if name not in CODE_FILES:
        raise NotFound
    wanted = CODE_FILES[name]
    return await visitor.file(at("quota", "hospitals", hospital_id, wanted.call), wanted.name, wanted.query)
