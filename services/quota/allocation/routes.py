from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.quota.allocation.operations import Allocations
from services.quota.allocation.schemas import AllocationProposal, AllocationView, ChangeProposed
from services.quota.hospitals.routes import PartQuery
from shared.http.auth import Reader, Writer
from shared.http.replies import replayable, staff_key

router = APIRouter(prefix="/quota/v1/programmes/{slug}/allocations", tags=["allocation"])


def _allocations(request: Request) -> Allocations:
    allocations: Allocations = request.app.state.wiring.allocations
    return allocations


@router.post("", operation_id="quota_propose_allocation", status_code=202, response_model=ChangeProposed)
async def propose_allocation(
    request: Request, slug: str, staff: Writer, body: AllocationProposal
) -> JSONResponse:
    """Proposes quotas for all hospitals; they are in force when somebody else approves the change."""
    key = staff_key(staff, "allocation.propose", body, slug)
    return replayable(await _allocations(request).propose(staff, slug, body, key), first_status=202)


@router.post("/preview", operation_id="quota_preview_allocation")
async def preview_allocation(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
    query: PartQuery,
    body: AllocationProposal,
) -> AllocationView:
    """Shows what a proposal would come to; writes nothing."""
    return await _allocations(request).preview(slug, body, query.part())
