"""A phase that is added later, and what is carried over from one that is over."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.issuance.campaigns.rules import phase_faults
from services.issuance.campaigns.schemas import Key, Phase, Reason
from shared.http.replies import StaffBody

_PHASES_MAX = 50


class PhaseProposal(Phase, StaffBody):
    """The phase as a definition has it; its number follows the last one's."""

    reason: Reason

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        for fault in phase_faults(self.model_dump(mode="json"), ()):
            raise PydanticCustomError(fault.code, "{sentence}", {"sentence": fault.message})
        return self


class CarryOver(StaffBody):
    """Unspent stock goes to the phase `to`, of these types or of all.

    With `expired` the value of expired vouchers becomes stock there, too.
    """

    to: Annotated[int, Field(ge=2, le=_PHASES_MAX)]
    voucher_types: Annotated[list[Key], Field(min_length=1, max_length=_PHASES_MAX)] | None = None
    expired: bool = False
    reason: Reason
