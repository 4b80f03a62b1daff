"""Calls of other services in a person's name: over a network and inside one process, they are the same."""

import asyncio
import gc
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI, Request, UploadFile
from fastapi.responses import JSONResponse, StreamingResponse

from shared.clients.errors import ServicesNotConnected
from shared.clients.inprocess import InProcess
from shared.clients.integrity import Refused
from shared.clients.services import Caller, Calls, Services, Upload, at
from shared.errors import Busy, NotFound, Unauthenticated
from shared.http.middleware import BodyLimits, Edge
from shared.http.problems import handle
from shared.metrics.http import HttpTimings
from tests.support.http import listening

CALLER = Caller("token-1", "req-1", "en", "http://hv.test", "203.0.113.7")
WAYS = ("network", "process")


class Told(FastAPI):
    """A service that tells what reached it."""

    def __init__(self) -> None:
        super().__init__(openapi_url=None)
        self.sent = 0
        self.ended = asyncio.Event()
        self.add_exception_handler(Exception, handle)
        limits = BodyLimits(document=1000, upload=1_000_000)
        self.add_middleware(Edge, service="quota", timings=HttpTimings(), limits=limits)
        self.get("/quota/v1/told/{name:path}")(self.told)
        self.post("/quota/v1/said")(self.said)
        self.post("/quota/v1/files")(self.files)
        self.get("/quota/v1/no/{status}")(self.no)
        self.get("/quota/v1/silent")(self.silent)
        self.get("/quota/v1/long")(self.long)

    async def told(self, request: Request, name: str) -> dict[str, object]:
        names = ("authorization", "accept-language", "x-request-id")
        return {
            "name": name,
            "query": dict(request.query_params),
            "address": request.client.host if request.client else None,
            **{header: request.headers[header] for header in names},
        }

    async def said(self, request: Request) -> object:
        return await request.json()

    async def files(self, request: Request, file: UploadFile) -> dict[str, object]:
        form = await request.form()
        return {"name": file.filename, "size": len(await file.read()), "total": form.get("total")}

    async def no(self, status: int) -> JSONResponse:
        problem = {"status": status, "code": "out_of_stock", "detail": "Used up.", "errors": []}
        return JSONResponse(problem, status_code=status, media_type="application/problem+json")

    async def silent(self) -> JSONResponse:
        return JSONResponse({"by": "somebody on the way"}, status_code=502)

    async def long(self) -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            try:
                for _ in range(200):
                    self.sent += 1
                    yield b"x" * 100_000
            finally:
                self.ended.set()

        return StreamingResponse(parts(), media_type="application/zip")


@asynccontextmanager
async def calling(way: str, service: Told) -> AsyncIterator[Calls]:
    async with listening(service) as address:
        services = Services(address)
        if way == "process":
            services = Services(None)
            services.join(InProcess(service))
        async with services.running():
            yield services.for_caller(CALLER)


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_is_made_in_the_callers_name(way: str) -> None:
    async with calling(way, Told()) as calls:
        told = await calls.get(at("quota", "told", "a/b?c 甲"), {"month": "2020-08", "none": None, "n": 3})
    assert told == {
        "name": "a/b?c 甲",
        "query": {"month": "2020-08", "n": "3"},
        "address": "203.0.113.7",
        "authorization": "Bearer token-1",
        "accept-language": "en",
        "x-request-id": "req-1",
    }


@pytest.mark.parametrize("way", WAYS)
async def test_documents_and_files_arrive_whole(way: str) -> None:
    async with calling(way, Told()) as calls:
        assert await calls.post(at("quota", "said"), {"原因": "海报破损"}) == {"原因": "海报破损"}
        upload = Upload("分配表.xlsx", io.BytesIO(b"x" * 300_000))
        told = await calls.upload(at("quota", "files"), {"file": upload}, {"total": 670, "adjustments": None})
    assert told == {"name": "分配表.xlsx", "size": 300_000, "total": "670"}


@pytest.mark.parametrize("way", WAYS)
async def test_a_no_is_told_with_its_code_and_sentence(way: str) -> None:
    async with calling(way, Told()) as calls:
        for call in (calls.get(at("quota", "no", "409")), calls.download(at("quota", "no", "409"))):
            with pytest.raises(Refused) as refused:
                await call
            assert (refused.value.status, refused.value.code) == (409, "out_of_stock")
            assert refused.value.detail == "Used up."
        with pytest.raises(Unauthenticated):
            await calls.get(at("quota", "no", "401"))
        with pytest.raises(Busy):
            await calls.get(at("quota", "silent"))


@pytest.mark.parametrize("way", WAYS)
async def test_a_file_comes_part_by_part_and_ends_with_its_reader(way: str) -> None:
    service = Told()
    async with calling(way, service) as calls:
        download = await calls.download(at("quota", "long"))
        assert download.media_type == "application/zip"
        whole = b"".join([part async for part in download.parts()])
        await download.close()
        assert len(whole) == 20_000_000
        service.sent = 0
        service.ended.clear()
        download = await calls.download(at("quota", "long"))
        async for _ in download.parts():
            break
        await download.close()
        gc.collect()
        await asyncio.wait_for(service.ended.wait(), 60)
        if way == "process":
            # Nothing is made ahead of what is read; a network has its buffers.
            assert service.sent < 10


async def test_a_service_that_is_away_is_busy() -> None:
    services = Services("http://127.0.0.1:1")
    async with services.running():
        with pytest.raises(Busy):
            await services.for_caller(CALLER).get(at("quota", "told", "x"))


async def test_an_application_that_breaks_is_busy() -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("no answer")

    services = Services(None)
    services.join(InProcess(broken))
    async with services.running():
        with pytest.raises(Busy):
            await services.for_caller(CALLER).get(at("quota", "told", "x"))


def test_services_that_are_nowhere_are_said_to_be_so() -> None:
    with pytest.raises(ServicesNotConnected) as refused:
        Services(None).for_caller(CALLER)
    assert refused.value.code == "services_not_connected"
    assert "HV_SERVICES_URL" in refused.value.en


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_a_segment_cannot_lead_to_another_call(segment: str) -> None:
    with pytest.raises(NotFound):
        at("quota", "events", segment, "trace")


def test_addresses_of_the_setting_are_origins() -> None:
    assert httpx.URL(at("quota", "a/../b")).raw_path == b"/quota/v1/a%2F..%2Fb"
