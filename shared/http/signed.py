"""Reading a signed request: who signed it, over which bytes."""

from collections.abc import Awaitable, Callable

from fastapi import Request

from shared.http.auth import kit_of
from shared.signing import BadSignature, SignatureHeader, canonical, check, parse_header

# The keys that a key id may sign with now; empty for an id that is unknown or revoked.
KeyLookup = Callable[[str], Awaitable[tuple[str, ...]]]


def target_of(request: Request) -> bytes:
    """Path and query exactly as they were sent."""
    path: bytes = request.scope["raw_path"]
    query: bytes = request.scope["query_string"]
    return path + b"?" + query if query else path


async def verified(request: Request, keys_of: KeyLookup) -> SignatureHeader:
    """Checks the signature of a request.

    An unknown key id and a wrong signature are one answer, so that ids cannot be guessed.

    Raises:
        Unauthenticated, BadSignature, ClockSkew. The caller uses the nonce up with its effect.
    """
    header = parse_header(request.headers.get("authorization"))
    keys = await keys_of(header.key_id)
    if not keys:
        raise BadSignature
    message = canonical(
        method=request.method,
        target=target_of(request),
        timestamp=header.timestamp,
        nonce=header.nonce,
        body=await request.body(),
    )
    check(header, keys=keys, message=message, now=kit_of(request).clock.now())
    return header
