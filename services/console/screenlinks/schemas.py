from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from services.console.screenlinks.rules import VALID_DAYS_DEFAULT, VALID_DAYS_MAX, ScreenLink, State
from shared.clock import rfc3339
from shared.http.replies import StaffBody


class ScreenLinkBody(StaffBody):
    label: Annotated[
        str,
        StringConstraints(min_length=1, max_length=100, strip_whitespace=True),
        Field(description="where the screen hangs, or whom the link is for"),
    ]
    valid_days: Annotated[int, Field(ge=1, le=VALID_DAYS_MAX)] = VALID_DAYS_DEFAULT


class ScreenLinkMade(BaseModel):
    link_id: str
    expires_at: str
    url: str | None = Field(
        description="told this once: the token stands behind `#`, where no log and no other site sees it; "
        "null in a repetition"
    )


class ScreenLinkItem(BaseModel):
    link_id: str
    label: str
    state: State
    created_by: str
    created_at: str
    expires_at: str
    revoked_at: str | None


class ScreenLinkRevocation(StaffBody):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class ScreenLinkRevokedReply(BaseModel):
    link_id: str
    revoked_at: str


def link_item(link: ScreenLink, now: datetime) -> ScreenLinkItem:
    return ScreenLinkItem(
        link_id=str(link.id),
        label=link.label,
        state=link.state(now),
        created_by=link.created_by,
        created_at=rfc3339(link.created_at),
        expires_at=rfc3339(link.expires_at),
        revoked_at=None if link.revoked_at is None else rfc3339(link.revoked_at),
    )
