"""The citizen's page: one document whose scripts are a client of the public API, as a mini-program is."""

from fastapi import Request, Response

from services.console.pages.routes import page_router
from services.console.pages.schemas import page

router = page_router()


@router.get("/app")
async def citizens_page(request: Request) -> Response:
    return page(request, "citizenpages/app.html")
