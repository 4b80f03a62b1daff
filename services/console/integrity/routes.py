from fastapi import APIRouter, Request

from services.console.integrity.operations import IntegrityDesk
from services.console.integrity.schemas import IntegrityReply, integrity_reply
from shared.http.auth import Reader

router = APIRouter(prefix="/console/v1", tags=["audit"])


@router.get("/integrity", operation_id="console_integrity")
async def integrity(request: Request, staff: Reader) -> IntegrityReply:  # noqa: ARG001 - only readers get here
    """Every invariant of the platform, recomputed from the rows in one snapshot.

    Where that takes longer than anybody waits, the latest report: `as_of` says of when it is.
    """
    desk: IntegrityDesk = request.app.state.wiring.integrity
    return integrity_reply(await desk.report())
