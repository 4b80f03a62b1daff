from typing import cast

from fastapi import APIRouter, Request

from services.issuance.notices.operations import Notices
from services.issuance.notices.rules import Language
from services.issuance.notices.schemas import NoticeView
from shared.http.auth import CurrentCitizen
from shared.http.problems import language_of
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Page,
    encode_cursor,
    position_of_moment,
)

router = APIRouter(prefix="/issuance/v1", tags=["notices"])


@router.get("/me/notices", operation_id="issuance_list_notices")
async def list_notices(
    request: Request, citizen: CurrentCitizen, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Page[NoticeView]:
    """What the citizen was told, newest first; in English with `Accept-Language: en`."""
    notices: Notices = request.app.state.wiring.notices
    language = cast("Language", language_of(request.headers))
    items, last = await notices.inbox(citizen, language, before=position_of_moment(cursor), limit=limit)
    return Page(items=items, next_cursor=encode_cursor([last[0].isoformat(), last[1]]) if last else None)
