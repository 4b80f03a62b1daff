from pydantic import BaseModel

from shared.http.replies import Moment, StaffBody


class ClockBody(StaffBody):
    now: Moment


class ClockReply(BaseModel):
    now: str
