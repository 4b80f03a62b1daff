"""Answers that may be kept for a moment: an ETag over what they say, 304 when it is unchanged."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

_ETAG_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Tagged:
    """JSON as it is sent, and the digest of what it says."""

    body: bytes
    digest: str


def tagged(content: Mapping[str, Any], *, apart_from: frozenset[str] = frozenset()) -> Tagged:
    """Fields in `apart_from` (such as the time of reading) do not change the digest."""
    kept = {name: value for name, value in content.items() if name not in apart_from}
    digest = hashlib.sha256(_json(kept).encode()).hexdigest()[:_ETAG_DIGITS]
    return Tagged(_json(content).encode(), digest)


def told(request: Request, answer: Tagged, *, cache_control: str) -> Response:
    """JSON with a weak ETag, or 304 for whoever has it."""
    headers = {"ETag": f'W/"{answer.digest}"', "Cache-Control": cache_control}
    if _matches(request.headers.get("if-none-match", ""), answer.digest):
        return Response(status_code=304, headers=headers)
    return Response(answer.body, media_type="application/json", headers=headers)


def etagged(
    request: Request,
    content: Mapping[str, Any],
    *,
    cache_control: str,
    apart_from: frozenset[str] = frozenset(),
) -> Response:
    """JSON with a weak ETag; fields in `apart_from` (such as the time of reading) do not change it."""
    return told(request, tagged(content, apart_from=apart_from), cache_control=cache_control)


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _matches(if_none_match: str, digest: str) -> bool:
    """Weak comparison (RFC 9110 section 13.1.2)."""
    known = {tag.strip().removeprefix("W/").strip('"') for tag in if_none_match.split(",")}
    return digest in known or "*" in known
