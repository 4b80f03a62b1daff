import secrets

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from services.quota.scans.operations import Scans
from services.quota.scans.rules import COOKIE, COOKIE_BYTES, COOKIE_SECONDS, device_in, seen_as
from shared.http.client import address_of
from shared.ratelimit import Limit, RateLimiter

router = APIRouter(prefix="/quota/v1", tags=["qrcodes"])

# At a fair all telephones of a mobile carrier share a few addresses, as at the opening of a campaign: this
# only stops a machine that makes scans up. It costs us one row for all that come at the same moment.
SCAN_PER_ADDRESS = Limit("quota-scan/address", amount=6_000, seconds=60)
# One telephone at one code: a finger that shakes and a page that is loaded again.
SCAN_PER_DEVICE = Limit("quota-scan/device", amount=20, seconds=60)


@router.get(
    "/s/{scene}",
    operation_id="quota_scan_code",
    status_code=302,
    response_class=RedirectResponse,
    responses={302: {"description": "To the programme's landing address"}},
)
async def scan_code(request: Request, scene: str) -> RedirectResponse:
    """Counts a scan of a hospital's code and leads to the programme's landing address.

    Public. A code that is not known (a damaged poster, a typing error) is a 404 `code_unknown`, whose
    sentence says what to do: leading on would look like success and count for nobody. A device that scans a
    code again on the same day, and a machine that says it is one, are counted and shown apart.
    """
    limiter: RateLimiter = request.app.state.wiring.limiter
    scans: Scans = request.app.state.wiring.scans
    device = device_in(request.cookies.get(COOKIE))
    if device is not None:
        await limiter.hit(SCAN_PER_DEVICE, device)
    await limiter.hit(SCAN_PER_ADDRESS, address_of(request))
    landing = await scans.scan(scene, seen_as(device, request.headers.get("User-Agent", "")))
    answer = RedirectResponse(landing, status_code=302)
    if device is None:
        answer.set_cookie(
            COOKIE,
            secrets.token_hex(COOKIE_BYTES),
            max_age=COOKIE_SECONDS,
            path=request.url.path,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )
    return answer
