from fastapi import APIRouter, Request, Response

from services.issuance.reveals.operations import Reveals
from services.issuance.reveals.schemas import Reveal, Revealed, RevealEntry
from shared.http.auth import Reader, Writer
from shared.http.replies import LIMIT_DEFAULT, Cursor, Limit, Page, encode_cursor, position_of_number
from shared.ids import parse_hot_id
from shared.ratelimit import REVEAL_PER_STAFF, RateLimiter

router = APIRouter(prefix="/issuance/v1", tags=["privacy"])


def _reveals(request: Request) -> Reveals:
    reveals: Reveals = request.app.state.wiring.reveals
    return reveals


@router.post("/persons/{person_id}/reveal", operation_id="issuance_reveal_person")
async def reveal_person(
    request: Request, response: Response, person_id: str, staff: Writer, body: Reveal
) -> Revealed:
    """Shows a person's name or id number in clear. Each time is audited, with its reason."""
    limiter: RateLimiter = request.app.state.wiring.limiter
    await limiter.hit(REVEAL_PER_STAFF, staff.id.hex)
    response.headers["Cache-Control"] = "no-store"
    return await _reveals(request).reveal(staff, parse_hot_id(person_id), body)


@router.get("/reveals", operation_id="issuance_list_reveals")
async def list_reveals(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only staff get here
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[RevealEntry]:
    """Who looked at whom in clear, and why; newest first. Never what was seen."""
    found = await _reveals(request).page(before_seq=position_of_number(cursor), limit=limit + 1)
    behind = found[limit - 1][0] if len(found) > limit else None
    return Page(
        items=[entry for _, entry in found[:limit]],
        next_cursor=None if behind is None else encode_cursor([behind]),
    )
