"""Answers that may be kept for a moment: an ETag over what they say, 304 when it is unchanged."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

_ETAG_DIGITS = 32


def etagged(
    request: Request,
    content: Mapping[str, Any],
    *,
    cache_control: str,
    apart_from: frozenset[str] = frozenset(),
) -> Response:
    """JSON with a weak ETag; fields in `apart_from` (such as the time of reading) do not change it."""
    told = {name: value for name, value in content.items() if name not in apart_from}
    digest = hashlib.sha256(_json(told).encode()).hexdigest()[:_ETAG_DIGITS]
    headers = {"ETag": f'W/"{digest}"', "Cache-Control": cache_control}
    if _matches(request.headers.get("if-none-match", ""), digest):
        return Response(status_code=304, headers=headers)
    return Response(_json(content), media_type="application/json", headers=headers)


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _matches(if_none_match: str, digest: str) -> bool:
    """Weak comparison (RFC 9110 section 13.1.2)."""
    known = {tag.strip().removeprefix("W/").strip('"') for tag in if_none_match.split(",")}
    return digest in known or "*" in known
