from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from services.console.deadletters.rules import can_be_put_aside
from shared.clock import rfc3339
from shared.http.replies import StaffBody
from shared.ids import HotId
from shared.outbox.store import DeadRow


class DeadLetterItem(BaseModel):
    id: str
    kind: str = Field(examples=["issuance.notice_due"])
    attempts: int
    error: str | None
    created_at: str
    can_be_put_aside: bool


class PutAsideBody(StaffBody):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class DeadLetterRetried(BaseModel):
    id: str
    status: Literal["queued"]


class DeadLetterPutAside(BaseModel):
    id: str
    status: Literal["put_aside"]


def dead_letter_item(row: DeadRow) -> DeadLetterItem:
    return DeadLetterItem(
        id=str(HotId(row.bucket, row.id)),
        kind=row.kind,
        attempts=row.attempt,
        error=row.error,
        created_at=rfc3339(row.created_at),
        can_be_put_aside=can_be_put_aside(row.kind),
    )
