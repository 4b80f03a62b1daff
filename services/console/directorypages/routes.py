"""The import of a list of institutions into a campaign's directory, and taking a list back."""

import asyncio
import io
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import File, Form, Query, Response, UploadFile
from fastapi.responses import RedirectResponse

from services.console.directorypages.rules import DONE, KEPT
from services.console.institutionpages.operations import campaigns_of
from services.console.institutionpages.routes import BASE, BureauWriter
from services.console.pages.routes import OUR_FORM, RequestNo, Visitor, page_router
from services.console.pages.schemas import XLSX, attached
from services.console.tablepages.schemas import no_file, sent_file
from shared.clients.integrity import Refused
from shared.clients.services import Upload, at
from shared.documents.faultsheets import fault_sheet
from shared.documents.reports import ImportFault

_WORD_LENGTH_MAX = 200
_REASON_LENGTH_MAX = 500
_HERE = f"{BASE}/import"

# Before the institutions' own routes: `import` is no id.
router = page_router(_HERE)

Word = Annotated[str, Query(max_length=_WORD_LENGTH_MAX)]
Step = Annotated[Literal["check", "import", "errors"], Form()]


async def _page(visitor: Visitor, campaign: str, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    values = {
        "refused": None, "report": None, "checked": False, "file_name": "", "undone": None, "done": None,
        "tried": None, **shown,
    }  # fmt: skip
    campaigns, made = await asyncio.gather(
        campaigns_of(visitor.calls),
        visitor.calls.get(at("redemption", "institutions", "imports"), {"campaign": campaign or None}),
    )
    return visitor.page(
        "directorypages/import.html",
        here="institution-import",
        base=_HERE,
        campaigns=campaigns,
        campaign=campaigns.chosen(campaign),
        imports_made=made["items"],
        kept=KEPT,
        done_words=DONE,
        **values,
    )


@router.get("")
async def import_form(visitor: BureauWriter, campaign: Word = "", done: str | None = None) -> Response:
    return await _page(visitor, campaign, done=done)


@router.get("/template.xlsx")
async def import_template(visitor: BureauWriter) -> Response:
    return await visitor.file(at("redemption", "institutions", "template.xlsx"), "服务机构导入模板.xlsx")


@router.post("", dependencies=[OUR_FORM])
async def import_file(
    visitor: BureauWriter,
    *,
    file: Annotated[UploadFile | None, File()] = None,
    campaign: Annotated[str, Form(max_length=_WORD_LENGTH_MAX)] = "",
    step: Step = "check",
) -> Response:
    """Checks a list and keeps nothing; takes it in; or gives it back with its faults."""
    sheet = sent_file(file) or no_file()
    content = await asyncio.to_thread(sheet.content.read)
    again = Upload(sheet.name, io.BytesIO(content))
    query = {"campaign": campaign, "dry_run": "false" if step == "import" else "true"}
    try:
        path = at("redemption", "institutions", "import")
        report = await visitor.calls.upload(path, {"file": again}, query=query)
    except Refused as refused:
        return await _page(visitor, campaign, refused=refused, status=refused.status)
    if step == "errors":
        faults = [ImportFault.model_validate(fault) for fault in report["errors"]]
        marked = await asyncio.to_thread(fault_sheet, content, faults)
        return attached(marked, XLSX, f"问题-{sheet.name.rpartition('.')[0]}.xlsx")
    if step == "check" or report["rejected"]:
        shown = {"report": report, "checked": step == "check", "file_name": sheet.name}
        return await _page(visitor, campaign, **shown)
    done = "awaiting" if report["change_id"] else "imported"
    return RedirectResponse(f"{_HERE}?{urlencode({'campaign': campaign, 'done': done})}", status_code=303)


@router.post("/{import_id}/undo", dependencies=[OUR_FORM])
async def undo_import(
    visitor: BureauWriter,
    import_id: str,
    reason: Annotated[str, Form(max_length=_REASON_LENGTH_MAX)] = "",
    request_no: RequestNo = "",
) -> Response:
    body = {"reason": reason, "request_no": request_no or None}
    try:
        path = at("redemption", "institutions", "imports", import_id, "undo")
        undone = await visitor.calls.post(path, body)
    except Refused as refused:
        tried = (visitor.request.url.path, body)
        return await _page(visitor, "", refused=refused, status=refused.status, tried=tried)
    return await _page(visitor, "", undone=undone)
