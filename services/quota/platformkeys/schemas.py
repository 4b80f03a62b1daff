from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from services.quota.programmes.schemas import Reason
from shared.http.replies import StaffBody


class PlatformKeyBody(StaffBody):
    label: Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]


class PlatformKeyMade(BaseModel):
    key_id: str
    key: str = Field(description="shown this once")


class PlatformKeyView(BaseModel):
    key_id: str
    label: str
    created_at: str
    revoked_at: str | None


class PlatformKeys(BaseModel):
    items: list[PlatformKeyView]


class KeyRevocation(StaffBody):
    reason: Reason


class KeyRevoked(BaseModel):
    key_id: str
    revoked_at: str
