import msgspec
from fastapi import APIRouter, Depends, UploadFile
from fastapi.security import APIKeyHeader
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.quota.cards.operations import CardEvents
from services.quota.cards.schemas import (
    CardEventsBody,
    EventImportReport,
    EventResults,
    HotCardEvents,
    HotResult,
    HotResults,
)
from services.quota.platformkeys.operations import PlatformKeyring
from shared.http.auth import Reader, Writer
from shared.http.hot import answer, decode, hot_post
from shared.http.jobs import JobRequested
from shared.http.signed import verified
from shared.signing import SCHEME

router = APIRouter(prefix="/quota/v1/programmes/{slug}", tags=["cards"])

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_EVENTS = msgspec.json.Decoder(HotCardEvents)
# Shows in the API documents that the call is signed; the check itself is `verified`.
_SIGNED = Depends(
    APIKeyHeader(
        name="Authorization",
        scheme_name="card platform",
        description=f'{SCHEME} key_id="…",timestamp="…",nonce="…",signature="…"',
        auto_error=False,
    )
)


def _card_events(request: Request) -> CardEvents:
    card_events: CardEvents = request.app.state.wiring.card_events
    return card_events


@hot_post(
    router,
    "/card-events",
    body=CardEventsBody,
    reply=EventResults,
    status_code=200,
    operation_id="quota_count_card_events",
    dependencies=[_SIGNED],
)
async def count_card_events(request: Request) -> Response:
    """Counts up to 1,000 card events, each exactly once; signed by the card platform.

    One malformed event refuses the whole batch and is named. A repeated event is a `duplicate_event`.
    """
    slug = request.path_params["slug"]
    keyring: PlatformKeyring = request.app.state.wiring.platform_keys

    async def keys_of(key_id: str) -> tuple[str, ...]:
        return await keyring.keys_for(slug, key_id)

    header = await verified(request, keys_of)
    body = await decode(request, _EVENTS)
    outcomes = await _card_events(request).count(slug, header, body.events)
    results = [
        HotResult(event.event_id, outcome) for event, outcome in zip(body.events, outcomes, strict=True)
    ]
    return answer(HotResults(results), first_status=200)


@router.post(
    "/card-events/import",
    operation_id="quota_import_card_events",
    response_model=EventImportReport,
    responses={202: {"model": JobRequested, "description": "a long file is counted by a job"}},
)
async def import_card_events(
    request: Request, slug: str, staff: Writer, file: UploadFile, *, dry_run: bool = False
) -> EventImportReport | JSONResponse:
    """Counts the events of a file (.xlsx, .csv): 事件编号, 场景值, 持卡人, 类型, 时间, 设备 in any order.

    Up to 5,000 events are counted at once. A longer file is left to a job (202), whose result is the report.
    `dry_run` only says what would happen.
    """
    if dry_run:
        return await _card_events(request).foresee_file(slug, await file.read())
    done = await _card_events(request).import_file(staff, slug, await file.read())
    if isinstance(done, EventImportReport):
        return done
    return JSONResponse(done, status_code=202)


@router.get(
    "/card-events/template.xlsx",
    operation_id="quota_get_card_event_template",
    response_class=Response,
    responses={200: {"content": {_XLSX: {}}, "description": "An .xlsx to fill in"}},
)
async def get_card_event_template(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
) -> Response:
    """The workbook that the import of card events understands."""
    content = await _card_events(request).template(slug)
    headers = {"Content-Disposition": 'attachment; filename="card-events.xlsx"'}
    return Response(content, media_type=_XLSX, headers=headers)
