from fastapi import APIRouter, Request

from services.issuance.versions.operations import Versions
from services.issuance.versions.schemas import VersionsView
from shared.http.auth import Reader

router = APIRouter(prefix="/issuance/v1/campaigns/{slug}/versions", tags=["campaigns"])


def _versions(request: Request) -> Versions:
    versions: Versions = request.app.state.wiring.versions
    return versions


@router.get("", operation_id="issuance_list_versions")
async def list_versions(request: Request, slug: str, _staff: Reader) -> VersionsView:
    """Every version of what rules a campaign: what, from when, who, why."""
    return await _versions(request).of_campaign(slug)
