"""All services on one origin: paths stay whole, lifespans start in order and end in reverse."""

from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from deploy.local.asgi import OneOrigin

Message = MutableMapping[str, Any]


def app(name: str, diary: list[str], *, fails: str = "") -> FastAPI:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if fails == "startup":
            raise RuntimeError("no ink")
        diary.append(f"{name} starts")
        yield
        diary.append(f"{name} ends")
        if fails == "shutdown":
            raise RuntimeError("no rest")

    made = FastAPI(lifespan=lifespan, openapi_url=None)

    @made.get("/{path:path}")
    async def answer(request: Request, path: str) -> list[str]:
        return [name, f"/{path}", str(request.scope["root_path"])]

    return made


async def live(origin: OneOrigin) -> list[Message]:
    """Plays the server's part of the lifespan protocol and returns what the application said."""
    said: list[Message] = []
    ask = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> Message:
        return {"type": next(ask)}

    async def send(message: Message) -> None:
        said.append(message)

    try:
        await origin({"type": "lifespan", "state": {}}, receive, send)
    except RuntimeError as error:
        said.append({"type": "raised", "message": str(error)})
    return said


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/quota/v1/cards", ["quota", "/quota/v1/cards", ""]),
        ("/quota", ["quota", "/quota", ""]),
        ("/quotas/v1", ["console", "/quotas/v1", ""]),
        ("/", ["console", "/", ""]),
        ("//quota/x", ["console", "//quota/x", ""]),
    ],
)
async def test_the_first_segment_names_the_service(path: str, answer: list[str]) -> None:
    origin = OneOrigin({name: app(name, []) for name in ("quota", "console")}, rest="console")
    transport = httpx.ASGITransport(origin)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get(httpx.URL("http://test" + path))).json() == answer


async def test_lifespans_start_in_order_and_end_in_reverse() -> None:
    diary: list[str] = []
    said = await live(OneOrigin({name: app(name, diary) for name in "abc"}, rest="c"))
    assert diary == ["a starts", "b starts", "c starts", "c ends", "b ends", "a ends"]
    assert [message["type"] for message in said] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


async def test_one_that_cannot_start_fails_all_and_ends_what_had_started() -> None:
    diary: list[str] = []
    apps = {"a": app("a", diary), "b": app("b", diary, fails="startup"), "c": app("c", diary)}
    said = await live(OneOrigin(apps, rest="a"))
    assert diary == ["a starts", "a ends"]
    assert said == [
        {"type": "lifespan.startup.failed", "message": "RuntimeError: no ink"},
        {"type": "raised", "message": "no ink"},
    ]


async def test_one_that_cannot_end_does_not_keep_the_others_from_it() -> None:
    diary: list[str] = []
    apps = {"a": app("a", diary), "b": app("b", diary, fails="shutdown")}
    said = await live(OneOrigin(apps, rest="a"))
    assert diary[-2:] == ["b ends", "a ends"]
    assert said[1] == {"type": "lifespan.shutdown.failed", "message": "RuntimeError: no rest"}
