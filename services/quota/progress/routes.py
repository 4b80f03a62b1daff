from fastapi import APIRouter, Request

from services.quota.hospitals.routes import PartQuery
from services.quota.programmes.routes import ProgrammeReader
from services.quota.progress.operations import Progress
from services.quota.progress.schemas import ProgressView

router = APIRouter(prefix="/quota/v1", tags=["progress"])


@router.get("/programmes/{slug}/progress", operation_id="quota_get_progress")
async def get_progress(request: Request, slug: str, staff: ProgrammeReader, query: PartQuery) -> ProgressView:
    """Cards counted against the quotas, by hospital and alliance, and where that leads.

    A hospital sees its own row. What each field means, and when it is null: docs/progress.md.
    """
    progress: Progress = request.app.state.wiring.progress
    return await progress.progress(staff, slug, query.part())
