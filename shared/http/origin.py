"""The origin that people reach: what stands in printed QR codes must lead there for years."""

from starlette.requests import Request

from shared.http.auth import kit_of


def public_origin(request: Request) -> str:
    """`HV_PUBLIC_URL`, else where this request came in; without a slash at its end."""
    return kit_of(request).settings.public_url or str(request.base_url).rstrip("/")
