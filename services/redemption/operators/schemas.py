from typing import Annotated

import msgspec
from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.redemption.institutions.schemas import Reason
from shared.http.replies import StaffBody

_CODE = r"^[0-9A-Za-z_-]{1,16}"
LABEL_MAX, TERMINALS_MAX = 50, 200

OperatorCode = Annotated[str, StringConstraints(pattern=_CODE + "$")]
HotOperatorCode = Annotated[str, msgspec.Meta(pattern=_CODE + r"\Z")]
OPERATOR = (
    "who works the terminal, by the code that the institution gave; refused when its list has no such code"
)

TerminalId = Annotated[str, StringConstraints(max_length=64)]
TerminalIds = Annotated[list[TerminalId], Field(max_length=TERMINALS_MAX)]


OperatorLabel = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LABEL_MAX, strip_whitespace=True),
    Field(description="what the institution calls them; no legal name is needed"),
]


class NewOperator(StaffBody):
    code: OperatorCode = Field(description="what is typed at the till; given out once")
    label: OperatorLabel
    terminal_ids: TerminalIds = Field(
        default=[], description="where they work; none: at every terminal of the institution"
    )
    terminal_id: TerminalId | None = Field(
        default=None, description="short for a list of one; null: every terminal of the institution"
    )

    @model_validator(mode="after")
    def _said_once(self) -> "NewOperator":
        if self.terminal_id is not None and self.terminal_ids:
            raise PydanticCustomError("said_twice", "terminal_id is short for terminal_ids: name only one")
        return self

    @property
    def terminals(self) -> list[str]:
        return self.terminal_ids if self.terminal_id is None else [self.terminal_id]


class AssignOperator(Reason):
    terminal_ids: TerminalIds = Field(
        description="where they work from now on; none: at every terminal of the institution"
    )


class RenameOperator(Reason):
    label: OperatorLabel


class EndOperator(Reason):
    pass


class RequireOperators(Reason):
    required: bool = Field(description="no write-off without an operator of its terminal's list")


class MadeOperator(BaseModel):
    code: str
    label: str
    terminal_ids: list[str] = Field(description="none: every terminal of the institution")
    terminal_id: str | None = Field(description="where it is one")


class EndedOperator(BaseModel):
    code: str


class OperatorItem(MadeOperator):
    created_at: str
    ended_at: str | None
    end_reason: str | None


class OperatorList(BaseModel):
    required: bool
    items: list[OperatorItem]


class OperatorRule(BaseModel):
    institution_id: str
    required: bool
    terminals_without_operators: list[str] = Field(
        description="where nobody is listed: as long as operators are required, these write nothing off"
    )


class OperatorName(BaseModel):
    code: str
    label: str


class TerminalOperators(BaseModel):
    """Who works at a terminal, for the cashier to choose from."""

    required: bool = Field(description="a write-off without one of these is refused")
    items: list[OperatorName]
