from typing import cast

from fastapi import APIRouter, Request

from services.issuance.notices.operations import Notices
from services.issuance.notices.rules import Language
from services.issuance.notices.schemas import Inbox, ReadMark, ReadUpTo
from shared.http.auth import CurrentCitizen
from shared.http.problems import language_of
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    encode_cursor,
    position_of_moment,
)
from shared.ids import parse_hot_id

router = APIRouter(prefix="/issuance/v1", tags=["notices"])


@router.get("/me/notices", operation_id="issuance_list_notices")
async def list_notices(
    request: Request, citizen: CurrentCitizen, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Inbox:
    """What the citizen was told, newest first; in English with `Accept-Language: en`."""
    notices: Notices = request.app.state.wiring.notices
    language = cast("Language", language_of(request.headers))
    items, last, unread = await notices.inbox(
        citizen, language, before=position_of_moment(cursor), limit=limit
    )
    following = encode_cursor([last[0].isoformat(), last[1]]) if last else None
    return Inbox(items=items, next_cursor=following, unread=unread)


@router.post("/me/notices/read", operation_id="issuance_read_notices")
async def read_notices(request: Request, citizen: CurrentCitizen, body: ReadUpTo) -> ReadMark:
    """Marks a notice and all before it as read."""
    notices: Notices = request.app.state.wiring.notices
    return ReadMark(unread=await notices.read(citizen, parse_hot_id(body.up_to)))
