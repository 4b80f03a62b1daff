"""What everybody may open: the way in, the verification of draws, what a refusal means."""

from fastapi import Request, Response

from services.console.pages.routes import page_router
from services.console.pages.schemas import page
from services.console.publicpages.operations import PublicPages

router = page_router()


def _public(request: Request) -> PublicPages:
    public: PublicPages = request.app.state.wiring.public
    return public


@router.get("/")
async def home(request: Request) -> Response:
    return page(request, "publicpages/home.html", campaigns=await _public(request).campaigns())


@router.get("/verify")
async def verify(request: Request) -> Response:
    return page(request, "publicpages/verify.html", campaigns=await _public(request).campaigns())


@router.get("/docs/errors")
async def errors(request: Request) -> Response:
    return page(request, "publicpages/errors.html", errors=_public(request).errors())
