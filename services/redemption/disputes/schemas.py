from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.settlement.schemas import Note, SettlementState
from shared.http.replies import StaffBody

# A settlement of which more is wrong was made of a wrong import; that is corrected at its source.
WITHDRAWN_MAX = 500


class Disputed(StaffBody):
    note: Note = Field(description="what is wrong, for the bureau")


class Resolve(StaffBody):
    """`upheld` takes the named write-offs back out of the settlement; `rejected` leaves it as it is."""

    outcome: Literal["upheld", "rejected"]
    reason: Note = Field(description="for the institution")
    withdraw: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=SHORT_MAX)]],
        Field(max_length=WITHDRAWN_MAX),
    ] = Field(default=[], description="redemption ids of the settlement, when upheld")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.outcome == "upheld") != bool(self.withdraw):
            raise PydanticCustomError(
                "withdraw_when_upheld", "an upheld dispute names what is withdrawn; a rejected one nothing"
            )
        if len(set(self.withdraw)) < len(self.withdraw):
            raise PydanticCustomError("withdraw_repeated", "a write-off is named twice")
        return self


class ResolveProposed(BaseModel):
    change_id: str
    status: Literal["pending"]


Resolved = SettlementState | ResolveProposed
