from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.quota.platformkeys.operations import PlatformKeyring
from services.quota.platformkeys.schemas import (
    KeyRevocation,
    KeyRevoked,
    PlatformKeyBody,
    PlatformKeyMade,
    PlatformKeys,
)
from shared.http.auth import Admin, Reader
from shared.http.replies import replayable, staff_key

router = APIRouter(prefix="/quota/v1/programmes/{slug}/platform-keys", tags=["platform keys"])


def _keyring(request: Request) -> PlatformKeyring:
    keyring: PlatformKeyring = request.app.state.wiring.platform_keys
    return keyring


@router.post("", operation_id="quota_create_platform_key", status_code=201, response_model=PlatformKeyMade)
async def create_platform_key(
    request: Request, slug: str, staff: Admin, body: PlatformKeyBody
) -> JSONResponse:
    """Makes a key for the card platform; its text is shown this once."""
    key = staff_key(staff, "platform_key.create", body, slug)
    return replayable(await _keyring(request).create(staff, slug, body.label, key))


@router.get("", operation_id="quota_list_platform_keys")
async def list_platform_keys(request: Request, slug: str, staff: Reader) -> PlatformKeys:  # noqa: ARG001 - only readers get here
    """The programme's keys, without their texts."""
    return await _keyring(request).listed(slug)


@router.post("/{key_id}/revoke", operation_id="quota_revoke_platform_key", response_model=KeyRevoked)
async def revoke_platform_key(
    request: Request, slug: str, key_id: str, staff: Admin, body: KeyRevocation
) -> JSONResponse:
    """Revokes a key: what it signs is refused at once."""
    key = staff_key(staff, "platform_key.revoke", body, slug, key_id)
    return replayable(await _keyring(request).revoke(staff, slug, key_id, body.reason, key), first_status=200)
