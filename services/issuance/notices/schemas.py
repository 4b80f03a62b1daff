from pydantic import BaseModel, Field

from services.issuance.notices.rules import Kind
from shared.http.replies import Body, Page

UNREAD_MAX = 999


class NoticeView(BaseModel):
    id: str
    kind: Kind
    title: str
    text: str
    at: str
    campaign: str
    voucher_id: str | None = Field(description="of a notice about a voucher")
    award_id: str | None = Field(description="of a notice about an award")
    activity_id: str | None = Field(description="of a notice about an activity")
    read: bool


class Inbox(Page[NoticeView]):
    unread: int = Field(ge=0, le=UNREAD_MAX, description=f"in the whole inbox; {UNREAD_MAX} is many")


class ReadUpTo(Body):
    """This notice and all before it are read; later ones stay as they are."""

    up_to: str = Field(max_length=64, description="id of a notice")


class ReadMark(BaseModel):
    unread: int = Field(ge=0, le=UNREAD_MAX)
