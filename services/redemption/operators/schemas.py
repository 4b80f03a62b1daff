from typing import Annotated

import msgspec
from pydantic import BaseModel, Field, StringConstraints

from shared.http.replies import StaffBody

_CODE = r"^[0-9A-Za-z_-]{1,16}"
LABEL_MAX = 50

OperatorCode = Annotated[str, StringConstraints(pattern=_CODE + "$")]
HotOperatorCode = Annotated[str, msgspec.Meta(pattern=_CODE + r"\Z")]
OPERATOR = (
    "who works the terminal, by the code that the institution gave; refused when its list has no such code"
)


class NewOperator(StaffBody):
    code: OperatorCode = Field(description="what is typed at the till; given out once")
    label: Annotated[str, StringConstraints(min_length=1, max_length=LABEL_MAX, strip_whitespace=True)] = (
        Field(description="what the institution calls them; no legal name is needed")
    )
    terminal_id: Annotated[str, StringConstraints(max_length=64)] | None = Field(
        default=None, description="null: every terminal of the institution"
    )


class MadeOperator(BaseModel):
    code: str
    label: str
    terminal_id: str | None


class EndOperator(StaffBody):
    pass


class EndedOperator(BaseModel):
    code: str


class OperatorItem(BaseModel):
    code: str
    label: str
    terminal_id: str | None
    created_at: str
    ended_at: str | None


class OperatorList(BaseModel):
    items: list[OperatorItem]
