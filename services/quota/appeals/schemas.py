from typing import Literal

from pydantic import BaseModel, Field

from services.quota.appeals.rules import AppealStatus
from services.quota.programmes.schemas import Reason
from shared.http.replies import StaffBody


class Lodge(StaffBody):
    reason: Reason


class AnswerBody(StaffBody):
    status: Literal["upheld", "rejected"] = Field(
        description="what follows from an upheld one is done by its own change: assign, or withdraw a case"
    )
    answer: Reason


class AppealView(BaseModel):
    id: str
    event_id: str
    hospital_id: str
    hospital: str
    reason: str
    status: AppealStatus
    lodged_at: str
    answer: str | None
    answered_at: str | None
