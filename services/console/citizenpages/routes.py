"""The citizen's page: one document whose scripts are a client of the public API, as a mini-program is."""

from fastapi import Request, Response

from services.console.pages.routes import page_router
from services.console.pages.schemas import page
from shared.clock import rfc3339
from shared.http.auth import kit_of

router = page_router()


@router.get("/app")
async def citizens_page(request: Request) -> Response:
    """With the platform's time, by which the page counts days that are left before anybody signs in."""
    return page(request, "citizenpages/app.html", now=rfc3339(kit_of(request).clock.now()))
