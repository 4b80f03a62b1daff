"""A service for tests of the shared edge: its routes do what the real ones do, one thing each."""

import asyncio
from typing import Annotated

import msgspec
from fastapi import APIRouter, FastAPI, Request, Response, UploadFile
from pydantic import BaseModel, Field
from sqlalchemy import text

from shared.clock import Clock
from shared.db import Tx
from shared.errors import NoLongerFits
from shared.http.app import build_app
from shared.http.auth import CurrentStaff, kit_of
from shared.http.hot import HotBody, answer, decode, hot_post
from shared.http.replies import Body, Day, Moment
from shared.kit import build_kit
from shared.settings import Settings

router = APIRouter(prefix="/probe/v1", tags=["probe"])


class ThingBody(Body):
    number: Annotated[int, Field(ge=0, le=1_000_000)]
    name: Annotated[str, Field(max_length=100)] = ""
    at: Moment | None = None
    day: Day | None = None


class ThingReply(BaseModel):
    name: str
    number: int = 0
    at: str | None = None
    day: str | None = None


class HotThing(HotBody, frozen=True):
    number: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class HotReply(msgspec.Struct):
    name: str
    number: int


@router.post("/things/{thing_id}", operation_id="probe_make_thing", status_code=201)
async def make_thing(request: Request, thing_id: str, body: ThingBody) -> ThingReply:
    """Writes its name to the database and reads it back.

    Longer than its first line.
    """
    async with kit_of(request).database.transaction() as tx:
        name = await _echo(tx, body.name or thing_id)
    at = None if body.at is None else body.at.isoformat()
    return ThingReply(name=name, number=body.number, at=at, day=body.day and body.day.isoformat())


@hot_post(
    router,
    "/hot-things/{thing_id}",
    body=ThingBody,
    reply=ThingReply,
    operation_id="probe_make_hot_thing",
    description="Makes a thing by one statement of the hot pool.",
)
async def make_hot_thing(request: Request) -> Response:
    body = await decode(request, _HOT)
    rows = await kit_of(request).database.call("SELECT $1::text AS name", request.path_params["thing_id"])
    return answer(HotReply(rows[0]["name"], body.number))


_HOT = msgspec.json.Decoder(HotThing)


@router.get("/things/{thing_id}", operation_id="probe_read_thing")
async def read_thing(request: Request, thing_id: str, limit: int = 1) -> ThingReply:
    """Reads a thing."""
    async with kit_of(request).database.snapshot() as tx:
        return ThingReply(name=await _echo(tx, thing_id), number=limit)


@router.get("/slow", operation_id="probe_slow")
async def slow(request: Request, seconds: float) -> ThingReply:
    """Holds a connection of the database for a while."""
    async with kit_of(request).database.transaction() as tx:
        await tx.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": seconds})
    return ThingReply(name="slept")


@router.get("/boom", operation_id="probe_boom")
async def boom() -> ThingReply:
    """Is broken."""
    await asyncio.sleep(0)
    raise RuntimeError("the password is swordfish")


@router.get("/refused", operation_id="probe_refused")
async def refused() -> ThingReply:
    """Refuses with a reason."""
    raise NoLongerFits("the stock is gone")


@router.get("/mine", operation_id="probe_mine")
async def mine(staff: CurrentStaff) -> ThingReply:
    """Says who asks."""
    return ThingReply(name=staff.username)


@router.post("/files", operation_id="probe_take_file", status_code=201)
async def take_file(file: UploadFile) -> ThingReply:
    """Takes an upload."""
    return ThingReply(name=file.filename or "", number=len(await file.read()))


async def _echo(tx: Tx, name: str) -> str:
    return str((await tx.execute(text("SELECT CAST(:name AS text)"), {"name": name})).scalar_one())


def create_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    return build_app(
        build_kit(settings, clock=clock), service="probe", title="Probe", wiring=None, routers=[router]
    )
