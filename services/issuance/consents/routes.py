from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from services.issuance.consents.operations import Consents
from services.issuance.consents.rules import Kind
from services.issuance.consents.schemas import (
    ConsentState,
    GiveConsent,
    NewText,
    OwnConsents,
    TextHead,
    TextView,
    WithdrawConsent,
)
from shared.http.auth import CurrentCitizen, Writer
from shared.http.caching import etagged
from shared.http.replies import Page, replayable, staff_key

router = APIRouter(prefix="/issuance/v1", tags=["privacy"])

# A new text is announced long before it is in effect.
_PUBLIC = "public, max-age=60"

OfKind = Annotated[Kind, Query()]


def _consents(request: Request) -> Consents:
    consents: Consents = request.app.state.wiring.consents
    return consents


@router.post(
    "/consent-texts",
    operation_id="issuance_publish_consent_text",
    status_code=201,
    response_model=TextHead,
)
async def publish_consent_text(request: Request, staff: Writer, body: NewText) -> JSONResponse:
    """Publishes a version of a text that citizens agree to. A published version never changes."""
    key = staff_key(staff, "consent_text.publish", body)
    return replayable(await _consents(request).publish(staff, body, key))


@router.get("/consent-texts", operation_id="issuance_list_consent_texts", response_model=Page[TextHead])
async def list_consent_texts(request: Request, kind: Annotated[Kind | None, Query()] = None) -> Response:
    """All versions, the latest first; also those that are not in effect yet. Public."""
    found = await _consents(request).texts(kind)
    page = Page[TextHead](items=found, next_cursor=None)
    return etagged(request, page.model_dump(), cache_control=_PUBLIC)


@router.get(
    "/consent-texts/current", operation_id="issuance_get_current_consent_text", response_model=TextView
)
async def get_current_consent_text(request: Request, kind: OfKind = "privacy") -> Response:
    """The text in effect. Public."""
    view = await _consents(request).in_force(kind)
    return etagged(request, view.model_dump(), cache_control=_PUBLIC)


@router.get("/consent-texts/{version}", operation_id="issuance_get_consent_text", response_model=TextView)
async def get_consent_text(request: Request, version: str, kind: OfKind = "privacy") -> Response:
    """A version, whether or not it is in effect. Public."""
    view = await _consents(request).text(kind, version)
    return etagged(request, view.model_dump(), cache_control=_PUBLIC)


@router.get("/me/consents", operation_id="issuance_list_own_consents")
async def list_own_consents(request: Request, citizen: CurrentCitizen) -> OwnConsents:
    """What the citizen agreed to and took back."""
    return await _consents(request).mine(citizen)


@router.post(
    "/me/consents", operation_id="issuance_give_consent", status_code=201, response_model=ConsentState
)
async def give_consent(request: Request, citizen: CurrentCitizen, body: GiveConsent) -> JSONResponse:
    """Agrees to a text; whoever had withdrawn can take part again."""
    return replayable(await _consents(request).give(citizen, body))


@router.post(
    "/me/consents/withdraw",
    operation_id="issuance_withdraw_consent",
    status_code=201,
    response_model=ConsentState,
)
async def withdraw_consent(request: Request, citizen: CurrentCitizen, body: WithdrawConsent) -> JSONResponse:
    """Takes consent back: no new participation until it is given again. What was won stays."""
    return replayable(await _consents(request).withdraw(citizen, body))
