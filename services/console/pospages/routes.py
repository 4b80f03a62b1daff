"""The till in the browser: one document, whose scripts are a client of the redemption service."""

from fastapi import Request, Response

from services.console.pages.routes import page_router
from services.console.pages.schemas import PAGE_POLICY, page, static_files

# The camera reads codes here, and nowhere else (`SECURITY_HEADERS`).
_PERMISSIONS = "camera=(self), geolocation=(), microphone=()"

router = page_router()


@router.get("/pos")
async def till(request: Request) -> Response:
    response = page(request, "pospages/pos.html")
    response.headers["permissions-policy"] = _PERMISSIONS
    return response


@router.get("/pos/worker.js")
async def worker() -> Response:
    """Keeps the page for days without a line; its own policy lets it fetch what it keeps."""
    content, media_type, version = static_files()["pos/worker.js"]
    headers = {
        "service-worker-allowed": "/pos",
        "content-security-policy": PAGE_POLICY,
        "cache-control": "no-cache",
        "etag": f'"{version}"',
    }
    return Response(content, media_type=media_type, headers=headers)
