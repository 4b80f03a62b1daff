from typing import Annotated

from pydantic import Field, StringConstraints, TypeAdapter

from services.quota.hospitallists.rules import FaultCode
from services.quota.hospitalnames.schemas import NearMatch
from shared.documents.reports import ImportFault, ImportReport


class HospitalFault(ImportFault):
    code: FaultCode = "row_invalid"
    near_matches: list[NearMatch] = Field(default_factory=list)


class HospitalImportReport(ImportReport):
    """`maybe_known` rows are rejected until `confirm` says who is meant."""

    errors: list[HospitalFault] = Field(default_factory=list)  # type: ignore[assignment] # narrower items, never written to
    names_added: int = Field(default=0, description="spellings and other names kept as aliases")
    notes: list[str] = Field(default_factory=list, description="what was taken but may be meant otherwise")


# Rows by their number in the sheet; the id of the hospital that is meant, or `new`.
CONFIRMATIONS = TypeAdapter(
    dict[
        Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,6}$")],
        Annotated[str, StringConstraints(min_length=1, max_length=64)],
    ]
)
NEW = "new"
