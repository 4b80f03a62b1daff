"""Terminals over HTTP, and who signed a request."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader
from pydantic import BaseModel

from services.redemption.terminals.operations import KnownTerminal, SignedTerminal
from services.redemption.terminals.schemas import (
    CheckedIn,
    CheckedInReply,
    CheckIn,
    CheckInBody,
    Reason,
    TerminalItem,
    Terminals,
    TerminalState,
)
from services.redemption.terminals.store import Terminal
from services.redemption.wiring import Wiring
from shared.clock import rfc3339
from shared.http.auth import CurrentStaff, Writer
from shared.http.hot import answer, decode, hot_post
from shared.http.replies import replayable, staff_key
from shared.http.signed import target_of, verified
from shared.signing import (
    SCHEME,
    BadSignature,
    ClockSkew,
    SignatureHeader,
    canonical,
    parse_header,
    sign,
)

router = APIRouter(prefix="/redemption/v1", tags=["terminals"])

# Shows in the API documents that a call is signed; the check itself is `signed_terminal`.
SIGNED = Depends(
    APIKeyHeader(
        name="Authorization",
        scheme_name="signature",
        description=f"{SCHEME}, see docs/signing.md",
        auto_error=False,
    )
)

StructT = TypeVar("StructT", bound=msgspec.Struct)
SignedHandler = Callable[[Request, SignedTerminal, StructT], Awaitable[Response]]


def wiring_of(request: Request) -> Wiring:
    wiring: Wiring = request.app.state.wiring
    return wiring


async def signed_terminal(request: Request) -> SignedTerminal:
    """The terminal that signed the request.

    A signature that does not fit is judged again with keys that were just looked up: another process may
    have rotated them a moment ago.

    Raises:
        Unauthenticated, BadSignature, ClockSkew.
    """
    wiring = wiring_of(request)
    found: list[KnownTerminal] = []

    async def keys_of(key_id: str) -> tuple[str, ...]:
        found.append(await wiring.keyring.of(key_id, again=bool(found)))
        return found[-1].keys.good(wiring.kit.clock.now())

    try:
        try:
            header = await verified(request, keys_of)
        except BadSignature:
            if not found:
                raise
            header = await verified(request, keys_of)
    except ClockSkew:
        told = parse_header(request.headers.get("authorization"))
        wiring.sightings.note(told.key_id, told.timestamp, wiring.kit.clock.now(), accepted=False)
        raise
    terminal = found[-1]
    wiring.sightings.note(terminal.id, header.timestamp, wiring.kit.clock.now())
    return SignedTerminal(
        terminal.id,
        terminal.caller,
        terminal.institution_id,
        header,
        terminal.locked_until,
    )


def signed_post(
    router: APIRouter,
    path: str,
    *,
    struct: type[StructT],
    body: type[BaseModel],
    reply: type[BaseModel],
    status_code: int = 201,
    **documented: Any,  # noqa: ANN401 - what APIRouter.add_api_route documents: summary, operation_id, …
) -> Callable[[SignedHandler[StructT]], SignedHandler[StructT]]:
    """A hot route of terminals: its handler is told who signed, and gets the body read (`struct`)."""
    decoder = msgspec.json.Decoder(struct)

    def register(handler: SignedHandler[StructT]) -> SignedHandler[StructT]:
        async def answered(request: Request) -> Response:
            terminal = await signed_terminal(request)
            return await handler(request, terminal, await decode(request, decoder))

        # Not functools.wraps: FastAPI would read the parameters of what is wrapped.
        answered.__name__, answered.__doc__ = handler.__name__, handler.__doc__
        hot_post(
            router, path, body=body, reply=reply, status_code=status_code, dependencies=[SIGNED], **documented
        )(answered)
        return handler

    return register


async def _signed_with(request: Request, header: SignatureHeader) -> str:
    """Which of its keys a checked request was signed with."""
    known = await wiring_of(request).keyring.of(header.key_id)
    message = canonical(
        method=request.method,
        target=target_of(request),
        timestamp=header.timestamp,
        nonce=header.nonce,
        body=await request.body(),
    )
    for key in known.keys.good(wiring_of(request).kit.clock.now()):
        if hmac.compare_digest(sign(key, message), header.signature):
            return key
    raise BadSignature


@signed_post(
    router,
    "/terminals/check-in",
    struct=CheckInBody,
    body=CheckIn,
    reply=CheckedIn,
    status_code=200,
    operation_id="redemption_check_in_terminal",
)
async def check_in(request: Request, terminal: SignedTerminal, body: CheckInBody) -> Response:
    """A new key; the one before stays good for ten minutes, and asks again if this answer gets lost."""
    signed_with = await _signed_with(request, terminal.header)
    terminal_key, now = await wiring_of(request).terminals.check_in(terminal, signed_with, body.version)
    return answer(CheckedInReply(terminal_key=terminal_key, server_time=rfc3339(now)), first_status=200)


@router.get("/institutions/{institution_id}/terminals", operation_id="redemption_list_terminals")
async def terminals(request: Request, institution_id: str, staff: CurrentStaff) -> Terminals:
    """An institution's terminals, for the bureau and the institution itself."""
    found = await wiring_of(request).terminals.of_institution(staff, institution_id)
    return Terminals(items=[_item(terminal) for terminal in found])


@router.post(
    "/terminals/{terminal_id}/pause",
    response_model=TerminalState,
    operation_id="redemption_pause_terminal",
)
async def pause(request: Request, terminal_id: str, staff: Writer, body: Reason) -> JSONResponse:
    """It may not redeem until it is resumed; bites at once. Reversals stay possible."""
    key = staff_key(staff, "terminal.pause", body, terminal_id)
    done = await wiring_of(request).terminals.pause(staff, terminal_id, body.reason, key)
    return replayable(done, first_status=200)


@router.post(
    "/terminals/{terminal_id}/resume",
    response_model=TerminalState,
    operation_id="redemption_resume_terminal",
)
async def resume(request: Request, terminal_id: str, staff: Writer, body: Reason) -> JSONResponse:
    """Ends a pause."""
    key = staff_key(staff, "terminal.resume", body, terminal_id)
    done = await wiring_of(request).terminals.resume(staff, terminal_id, body.reason, key)
    return replayable(done, first_status=200)


@router.post(
    "/terminals/{terminal_id}/revoke",
    response_model=TerminalState,
    operation_id="redemption_revoke_terminal",
)
async def revoke(request: Request, terminal_id: str, staff: Writer, body: Reason) -> JSONResponse:
    """For good: its keys and its activation code are forgotten."""
    key = staff_key(staff, "terminal.revoke", body, terminal_id)
    done = await wiring_of(request).terminals.revoke(staff, terminal_id, body.reason, key)
    return replayable(done, first_status=200)


def _item(terminal: Terminal) -> TerminalItem:
    return TerminalItem(
        terminal_id=terminal.id,
        label=terminal.label,
        status=terminal.status,
        device_id=terminal.device_id,
        activated_at=None if terminal.activated_at is None else rfc3339(terminal.activated_at),
        last_seen_at=None if terminal.last_seen_at is None else rfc3339(terminal.last_seen_at),
        activation_expires_at=(
            None if terminal.activation_expires_at is None else rfc3339(terminal.activation_expires_at)
        ),
    )
