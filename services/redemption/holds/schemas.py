from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.institutions.schemas import Reason
from services.redemption.reversals.schemas import REASON_MAX
from shared.http.replies import StaffBody


class PlaceHold(StaffBody):
    institution_id: Annotated[str, StringConstraints(min_length=1, max_length=SHORT_MAX)]
    redemption_id: Annotated[str, StringConstraints(min_length=1, max_length=SHORT_MAX)] | None = Field(
        default=None, description="one write-off; without it all of the institution's"
    )
    reason: Annotated[str, StringConstraints(min_length=1, max_length=REASON_MAX, strip_whitespace=True)]


class ReleaseHold(Reason):
    pass


class HoldItem(BaseModel):
    id: str
    institution_id: str
    redemption_id: str | None
    reason: str
    placed_at: str
    released_at: str | None
