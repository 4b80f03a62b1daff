"""Card programmes for the bureau: how far they are, and the editor of the quotas."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Response
from fastapi.responses import RedirectResponse

from services.console.pages.routes import (
    OUR_FORM,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from services.console.quotapages.rules import METHODS, basis_choices, behind, permille, points
from services.console.quotapages.schemas import (
    Adjustment,
    Bound,
    Text,
    Typed,
    adjustments_form,
    bounds_form,
    typed_again,
)
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.identity.staff import WRITERS

_ALLOCATION = "/console/quota/allocation"
# Names to choose from while typing; a longer list is typed.
_NAMES_MAX = 1_000
# Enough words for a preview, which keeps none of them.
_PREVIEW_REASON = "测算"

router = page_router("/console/quota")

Writer = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
Slug = Annotated[str, Query(max_length=64)]
Alliance = Annotated[str, Query(max_length=200)]
Number = Annotated[int | None, Query(ge=1, le=1_000_000)]
Adjustments = Annotated[list[Adjustment], Depends(adjustments_form)]
Bounds = Annotated[list[Bound], Depends(bounds_form)]


async def _programmes(visitor: Visitor) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await visitor.calls.get(at("quota", "programmes")))["items"]
    return items


def _shown(visitor: Visitor, template: str, here: str, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    return visitor.page(
        f"quotapages/{template}", here=here, permille=permille, points=points, behind=behind, **shown
    )


@router.get("/progress")
async def progress(visitor: BureauReader, programme: Slug = "", alliance: Alliance = "") -> Response:
    programmes = await _programmes(visitor)
    if not programmes:
        return _shown(visitor, "progress.html", "progress", programmes=[], slug="", view=None)
    slug = programme or programmes[0]["slug"]
    view = await visitor.calls.get(at("quota", "programmes", slug, "progress"))
    items = [one for one in view["items"] if alliance in {"", one["alliance"]}]
    return _shown(
        visitor,
        "progress.html",
        "progress",
        programmes=[(one["slug"], one["title"], one["title"]) for one in programmes],
        slug=slug,
        view=view,
        items=items,
        alliance=alliance,
        alliances=[("", "全部", "all"), *((one["alliance"],) * 3 for one in view["alliances"])],
    )


async def _editor(
    visitor: Visitor,
    slug: str,
    typed: Typed,
    *,
    preview: dict[str, Any] | None = None,
    refused: Refused | None = None,
    done: str = "",
) -> Response:
    programmes = await _programmes(visitor)
    base = at("quota", "programmes", slug)
    versions = (await visitor.calls.get(f"{base}/allocations"))["items"]
    hospitals = await visitor.calls.every(f"{base}/hospitals", {}, most=_NAMES_MAX)
    return _shown(
        visitor,
        "allocation.html",
        "allocation",
        status=refused.status if refused else 200,
        programmes=[(one["slug"], one["title"], one["title"]) for one in programmes],
        slug=slug,
        versions=versions,
        bases=basis_choices((await visitor.calls.get(f"{base}/bases"))["items"]),
        hospitals=[one["hospital"] for one in hospitals],
        methods=METHODS,
        typed=typed,
        preview=preview,
        refused=refused,
        done=done,
        may_write=visitor.staff.has(*WRITERS),
    )


@router.get("/allocation")
async def allocation(
    visitor: BureauReader, programme: Slug = "", version: Number = None, done: Slug = ""
) -> Response:
    """The editor; it begins with the version named, else with the one in force."""
    programmes = await _programmes(visitor)
    if not programmes:
        return _shown(visitor, "allocation.html", "allocation", programmes=[], slug="")
    slug = programme or programmes[0]["slug"]
    base = at("quota", "programmes", slug)
    versions = (await visitor.calls.get(f"{base}/allocations"))["items"]
    begin = version or next((one["version"] for one in versions if one["in_force"]), None)
    if begin is None:
        found = next(one for one in programmes if one["slug"] == slug)
        return await _editor(visitor, slug, Typed(total=str(found["allocation_total"] or "")), done=done)
    view = await visitor.calls.get(f"{base}/allocations/{begin}")
    return await _editor(visitor, slug, typed_again(view), preview=view, done=done)


@router.post("/allocation", dependencies=[OUR_FORM])
async def edit(
    visitor: Writer,
    adjustments: Adjustments,
    bounds: Bounds,
    *,
    programme: Text = "",
    total: Text = "",
    method: Text = "",
    basis: Text = "",
    effective_month: Text = "",
    reason: Text = "",
    answer: Text = "preview",
    request_no: RequestNo = "",
) -> Response:
    """Computes what stands in the editor; with `answer=propose` proposes it as a change."""
    typed = Typed(total, method, basis, effective_month.strip(), reason, adjustments, bounds)
    path = at("quota", "programmes", programme, "allocations")
    preview = None
    try:
        if answer == "propose":
            body = {**typed.body(reason=reason), "request_no": request_no}
            change = await visitor.calls.post(path, body)
            query = urlencode({"programme": programme, "done": change["change_id"]})
            return RedirectResponse(f"{_ALLOCATION}?{query}", status_code=303)
        preview = await visitor.calls.post(
            f"{path}/preview", typed.body(reason=reason.strip() or _PREVIEW_REASON)
        )
    except Refused as refused:
        return await _editor(visitor, programme, typed, refused=refused)
    return await _editor(visitor, programme, typed, preview=preview)


@router.get("/allocation/compare")
async def compare(visitor: BureauReader, programme: Slug, *, earlier: Number, later: Number) -> Response:
    path = at("quota", "programmes", programme, "allocations", "compare")
    found = await visitor.calls.get(path, {"from": earlier, "to": later})
    return _shown(visitor, "compare.html", "allocation", slug=programme, found=found)


@router.get("/allocation/compare.xlsx")
async def comparison(visitor: BureauReader, programme: Slug, *, earlier: Number, later: Number) -> Response:
    path = at("quota", "programmes", programme, "allocations", "compare.xlsx")
    name = f"{programme}-任务数对比-{earlier}-{later}.xlsx"
    return await visitor.file(path, name, {"from": earlier, "to": later})


@router.get("/allocation/{version}.xlsx")
async def version_file(visitor: BureauReader, version: int, programme: Slug) -> Response:
    path = at("quota", "programmes", programme, "allocations", f"{version}.xlsx")
    return await visitor.file(path, f"{programme}-任务数-第{version}版.xlsx")
