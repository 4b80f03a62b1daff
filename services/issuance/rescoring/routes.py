from fastapi import APIRouter, Request

from services.issuance.rescoring.operations import Rescoring
from services.issuance.rescoring.schemas import RetirementBody, RetirementEffectView
from shared.http.auth import Reader

router = APIRouter(prefix="/issuance/v1/campaigns/{slug}/questions", tags=["planning"])


@router.post("/retirement-effect", operation_id="issuance_preview_retirement")
async def preview_retirement(
    request: Request, slug: str, _staff: Reader, body: RetirementBody
) -> RetirementEffectView:
    """What the pass rate would have been without these questions; changes nothing.

    Every attempt is marked again from its own responses; a question that is taken out is replaced by
    responses to others of its difficulty, in attempts that did as well on the rest.
    """
    rescoring: Rescoring = request.app.state.wiring.rescoring
    return await rescoring.retirement(slug, body)
