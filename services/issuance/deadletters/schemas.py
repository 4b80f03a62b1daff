from typing import Literal

from pydantic import BaseModel


class DeadLetter(BaseModel):
    id: str
    job: str
    notice_kind: str | None
    channel: str | None
    voucher_id: str | None
    attempts: int
    error: str | None
    created_at: str


class Retried(BaseModel):
    id: str
    status: Literal["queued"]
