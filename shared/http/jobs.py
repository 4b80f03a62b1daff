"""The awaited jobs of a service over HTTP: what a clerk asked for and how far it is (api.md section 3)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from shared.clock import rfc3339
from shared.http.auth import Reader
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    Limit,
    encode_cursor,
    position_of_moment,
)
from shared.ids import parse_uuid
from shared.jobs.awaited import AwaitedJobs
from shared.jobs.awaited.store import AwaitedJob

State = Literal["queued", "running", "succeeded", "failed"]


class JobRequested(BaseModel):
    """The 202 answer of whatever is done by an awaited job."""

    job_id: str


class JobView(BaseModel):
    """`progress` is percent; `error` is a sentence, given when the job failed."""

    id: str
    kind: str
    state: State
    progress: int
    result: dict[str, Any] | None
    error: str | None
    created_at: str
    finished_at: str | None


def _view(job: AwaitedJob) -> JobView:
    return JobView(
        id=str(job.id),
        kind=job.kind,
        state=job.state,
        progress=job.progress,
        result=job.result,
        error=job.error,
        created_at=rfc3339(job.created_at),
        finished_at=None if job.finished_at is None else rfc3339(job.finished_at),
    )


def awaited_router(jobs: AwaitedJobs) -> APIRouter:
    service = jobs.service
    router = APIRouter(prefix=f"/{service}/v1/jobs", tags=["jobs"])

    @router.get("", operation_id=f"{service}_jobs")
    async def list_jobs(
        staff: Reader,  # noqa: ARG001 - only readers get here
        state: Annotated[State | None, Query()] = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> CountedPage[JobView]:
        """Jobs that staff have asked for, newest first."""
        found, total = await jobs.page(state=state, limit=limit, after=position_of_moment(cursor))
        last = found[limit - 1] if len(found) > limit else None
        return CountedPage(
            total=total,
            items=[_view(job) for job in found[:limit]],
            next_cursor=encode_cursor([last.created_at.isoformat(), last.id]) if last else None,
        )

    @router.get("/{job_id}", operation_id=f"{service}_job")
    async def one_job(job_id: str, staff: Reader) -> JobView:  # noqa: ARG001 - only readers get here
        """How far a job is, and its result when it has ended."""
        return _view(await jobs.view(parse_uuid(job_id)))

    return router
