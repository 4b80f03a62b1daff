"""GET /{service}/docs: the API reference as a page. Everything comes from this origin.

Swagger UI is vendored (static/vendor, with its licence and checksums): the platform also runs where
there is no internet, and a page that loads nothing from elsewhere leaks nothing.
"""

from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse

from shared.errors import NotFound

_STATIC = files("shared.http") / "static"
_SWAGGER = _STATIC / "vendor" / "swagger-ui-5.35.0"
_ASSETS = {
    "swagger-ui.css": (_SWAGGER, "text/css"),
    "swagger-ui-bundle.js": (_SWAGGER, "text/javascript"),
    "favicon-32x32.png": (_SWAGGER, "image/png"),
    "docs.css": (_STATIC, "text/css"),
    "docs.js": (_STATIC, "text/javascript"),
}
# Swagger UI sets styles on elements by script, which a policy allows, and draws its icons from data URLs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="zh-CN" data-document="/{service}/openapi.json">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · API</title>
<link rel="icon" type="image/png" href="/{service}/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/{service}/docs/assets/swagger-ui.css">
<link rel="stylesheet" href="/{service}/docs/assets/docs.css">
</head>
<body>
<div id="docs"></div>
<noscript>The API document: <a href="/{service}/openapi.json">/{service}/openapi.json</a></noscript>
<script src="/{service}/docs/assets/swagger-ui-bundle.js"></script>
<script src="/{service}/docs/assets/docs.js"></script>
</body>
</html>
"""


def docs_router(service: str, title: str) -> APIRouter:
    router = APIRouter(prefix=f"/{service}/docs", include_in_schema=False)
    page = _PAGE.format(service=service, title=title)

    @router.get("")
    async def docs() -> HTMLResponse:
        return HTMLResponse(page, headers={"content-security-policy": _POLICY})

    @router.get("/assets/{name}")
    async def asset(name: str) -> FileResponse:
        if name not in _ASSETS:
            raise NotFound
        folder, media_type = _ASSETS[name]
        headers = {"cache-control": "public, max-age=86400"}
        return FileResponse(str(folder / name), media_type=media_type, headers=headers)

    return router
