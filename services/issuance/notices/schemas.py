from pydantic import BaseModel, Field

from services.issuance.notices.rules import Kind


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
