from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from shared.http.replies import Body

RevealField = Literal["name", "id_number"]


class Reveal(Body):
    """No request number: nothing is done twice, and the answer is kept nowhere. Each call is audited."""

    fields: Annotated[list[RevealField], Field(min_length=1, max_length=2)]
    reason: Annotated[str, StringConstraints(min_length=4, max_length=200, strip_whitespace=True)] = Field(
        description="why it is needed, without personal data: it stands in the audit log"
    )


class Revealed(BaseModel):
    """In clear; null for what the platform does not hold (any more)."""

    person_id: str
    name: str | None = None
    id_number: str | None = None


class RevealEntry(BaseModel):
    at: str
    staff_id: str
    username: str | None
    person_id: str
    fields: list[RevealField]
    reason: str
