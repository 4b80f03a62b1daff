from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from services.redemption.reversals.schemas import REASON_MAX
from shared.http.replies import StaffBody


class Correct(StaffBody):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=REASON_MAX, strip_whitespace=True)] = (
        Field(description="stands beside the negative line in the next settlement")
    )


class CorrectionProposed(BaseModel):
    change_id: str
    status: Literal["pending"]
