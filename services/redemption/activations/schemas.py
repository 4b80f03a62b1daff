from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from services.redemption.institutions.schemas import Reason
from shared.http.replies import Body, StaffBody

LABEL_MAX = 100
DEVICE_ID_MAX = 128
CODE_MAX = 200


class Activate(Body):
    activation_code: Annotated[str, StringConstraints(max_length=CODE_MAX)] = Field(
        examples=["7K2M-9QXD-41TC"]
    )
    device_id: Annotated[str, StringConstraints(min_length=1, max_length=DEVICE_ID_MAX)]


class Activated(BaseModel):
    terminal_id: str = Field(description="the `key_id` to sign with")
    terminal_key: str = Field(description="shown once; sign with its UTF-8 bytes")
    institution_id: str


class NewTerminal(StaffBody):
    label: Annotated[str, StringConstraints(min_length=1, max_length=LABEL_MAX, strip_whitespace=True)]


class MadeTerminal(BaseModel):
    terminal_id: str
    activation_code: str = Field(description="shown once; usable once")
    expires_at: str


class ReissueCode(Reason):
    pass
