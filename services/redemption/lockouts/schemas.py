from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from shared.http.replies import StaffBody


class Unlock(StaffBody):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class Unlocked(BaseModel):
    terminal_id: str
    locked: bool


class LockoutItem(BaseModel):
    terminal_id: str
    institution_id: str
    kind: Literal["locked", "unlocked"]
    wrong_codes: int | None = Field(description="within the ten minutes that ended in the lock")
    locked_until: str | None
    reason: str | None
    at: str
