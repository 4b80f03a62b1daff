from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints

from shared.http.replies import StaffBody


class ReasonBody(StaffBody):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class UnlockedReply(BaseModel):
    id: str
    status: Literal["unlocked"]
