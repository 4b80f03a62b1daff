from fastapi import APIRouter, Request

from services.issuance.retention.operations import Retention
from services.issuance.retention.schemas import RetentionReport
from shared.http.auth import Reader

router = APIRouter(prefix="/issuance/v1", tags=["privacy"])


@router.get("/retention/report", operation_id="issuance_report_retention")
async def report_retention(request: Request, staff: Reader) -> RetentionReport:  # noqa: ARG001 - only staff get here
    """Whose personal data is due to be forgotten, and when; changes nothing."""
    retention: Retention = request.app.state.wiring.retention
    return await retention.report()
