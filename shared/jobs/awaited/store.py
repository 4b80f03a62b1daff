from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select, tuple_, update

from shared.db import Tx
from shared.jobs.tables import JobRow


@dataclass(frozen=True, slots=True)
class AwaitedJob:
    """`progress` is percent; `error` a sentence that can be shown."""

    id: UUID
    kind: str
    state: str
    progress: int
    arguments: dict[str, Any]
    result: dict[str, Any] | None
    error: str | None
    requested_by: UUID | None
    created_at: datetime
    finished_at: datetime | None


_COLUMNS = (
    JobRow.id,
    JobRow.kind,
    JobRow.state,
    JobRow.progress,
    JobRow.arguments,
    JobRow.result,
    JobRow.error,
    JobRow.requested_by,
    JobRow.created_at,
    JobRow.finished_at,
)
_OPEN = JobRow.state.in_(("queued", "running"))


async def insert_job(
    tx: Tx, job_id: UUID, kind: str, arguments: dict[str, Any], *, requested_by: UUID | None, now: datetime
) -> None:
    values = {
        "id": job_id,
        "kind": kind,
        "arguments": arguments,
        "requested_by": requested_by,
        "created_at": now,
    }
    await tx.execute(insert(JobRow).values(**values))


async def start(tx: Tx, job_id: UUID) -> AwaitedJob | None:
    """The job, running now; None when it has ended already or never was."""
    statement = update(JobRow).where(JobRow.id == job_id, _OPEN).values(state="running").returning(*_COLUMNS)
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else AwaitedJob(*row)


async def tell(tx: Tx, job_id: UUID, percent: int) -> None:
    """Progress never goes back, also when a job is begun again."""
    statement = update(JobRow).where(JobRow.id == job_id, _OPEN, JobRow.progress < percent)
    await tx.execute(statement.values(progress=percent))


async def end(
    tx: Tx, job_id: UUID, *, state: str, result: dict[str, Any] | None, error: str | None, now: datetime
) -> None:
    values: dict[str, Any] = {"state": state, "error": error, "finished_at": now}
    if result is not None:
        values |= {"result": result, "progress": 100}
    await tx.execute(update(JobRow).where(JobRow.id == job_id, _OPEN).values(**values))


async def reopen(tx: Tx, job_id: UUID) -> None:
    """A job that failed is to be done again; one that is under way or succeeded stays as it is."""
    statement = update(JobRow).where(JobRow.id == job_id, JobRow.state == "failed")
    await tx.execute(statement.values(state="queued", error=None, finished_at=None))


async def by_id(tx: Tx, job_id: UUID) -> AwaitedJob | None:
    row = (await tx.execute(select(*_COLUMNS).where(JobRow.id == job_id))).one_or_none()
    return None if row is None else AwaitedJob(*row)


async def is_under_way(tx: Tx, kind: str, arguments: dict[str, Any]) -> bool:
    statement = select(JobRow.id).where(JobRow.kind == kind, _OPEN, JobRow.arguments == arguments).limit(1)
    return (await tx.execute(statement)).one_or_none() is not None


async def latest(tx: Tx, kind: str) -> AwaitedJob | None:
    """The last one of this kind that succeeded."""
    statement = select(*_COLUMNS).where(JobRow.kind == kind, JobRow.state == "succeeded")
    row = (await tx.execute(statement.order_by(JobRow.created_at.desc()).limit(1))).one_or_none()
    return None if row is None else AwaitedJob(*row)


async def ended_addresses(tx: Tx, kind: str, *, since: datetime) -> list[str]:
    """Where the objects (argument `address`) of jobs of this kind lie that have ended since then."""
    statement = select(JobRow.arguments["address"].astext).where(
        JobRow.kind == kind, ~_OPEN, JobRow.finished_at >= since
    )
    return list((await tx.execute(statement)).scalars())


def _fitting(kinds: str, state: str | None) -> list[ColumnElement[bool]]:
    begins = JobRow.kind.startswith(kinds, autoescape=True)
    return [begins] if state is None else [begins, JobRow.state == state]


async def count(tx: Tx, kinds: str, state: str | None) -> int:
    """How many `page` has, on all its pages."""
    statement = select(func.count()).select_from(JobRow).where(*_fitting(kinds, state))
    return int((await tx.execute(statement)).scalar_one())


async def page(
    tx: Tx, kinds: str, state: str | None, *, limit: int, after: tuple[datetime, UUID] | None
) -> list[AwaitedJob]:
    """Jobs whose kind begins with `kinds`, newest first."""
    statement = select(*_COLUMNS).where(*_fitting(kinds, state))
    if after is not None:
        statement = statement.where(tuple_(JobRow.created_at, JobRow.id) < after)
    statement = statement.order_by(JobRow.created_at.desc(), JobRow.id.desc()).limit(limit)
    return [AwaitedJob(*row) for row in (await tx.execute(statement))]
