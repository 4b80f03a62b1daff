from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.issuance.preferences.operations import Preferences
from services.issuance.preferences.schemas import (
    GrantsReported,
    PhoneCode,
    PreferencesView,
    PreferencesWanted,
)
from shared.http.auth import CurrentCitizen
from shared.http.replies import replayable

router = APIRouter(prefix="/issuance/v1", tags=["notices"])


def _preferences(request: Request) -> Preferences:
    preferences: Preferences = request.app.state.wiring.preferences
    return preferences


@router.get("/me/notice-preferences", operation_id="issuance_get_notice_preferences")
async def get_notice_preferences(request: Request, citizen: CurrentCitizen) -> PreferencesView:
    """How the citizen is told beside the own inbox: WeChat consents that are left, and SMS."""
    return await _preferences(request).view(citizen)


@router.put("/me/notice-preferences", operation_id="issuance_set_notice_preferences")
async def set_notice_preferences(
    request: Request, citizen: CurrentCitizen, body: PreferencesWanted
) -> PreferencesView:
    """Sets language and SMS; what is left out stays. SMS off forgets the phone.

    To a new phone a code is sent, and nothing else until it has come back.
    """
    return await _preferences(request).set(citizen, body)


@router.post("/me/notice-preferences/phone-code", operation_id="issuance_confirm_phone")
async def confirm_phone(request: Request, citizen: CurrentCitizen, body: PhoneCode) -> PreferencesView:
    """Confirms a phone by the code that was sent there; five tries, five minutes."""
    return await _preferences(request).confirm_phone(citizen, body.code)


@router.post(
    "/me/notice-grants",
    operation_id="issuance_report_notice_grants",
    status_code=201,
    response_model=PreferencesView,
)
async def report_notice_grants(
    request: Request, citizen: CurrentCitizen, body: GrantsReported
) -> JSONResponse:
    """Counts what the citizen agreed to when the mini-program asked."""
    return replayable(await _preferences(request).report_grants(citizen, body))
