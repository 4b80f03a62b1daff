from typing import Literal

from pydantic import BaseModel

from services.redemption.settlement.schemas import Note
from shared.http.replies import StaffBody


class Pay(StaffBody):
    reason: Note | None = None


class Proposed(BaseModel):
    change_id: str
    status: Literal["pending"]
