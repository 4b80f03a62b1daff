from typing import Literal

from pydantic import BaseModel, Field

from services.redemption.reconciliation.rules import Hint, Unit
from shared.documents.reports import ImportFault


class OurEntry(BaseModel):
    redemption_id: str
    request_no: str
    voucher_type: str
    applied_fen: int
    redeemed_at: str


class TheirEntry(BaseModel):
    row: int = Field(description="as in the sheet; the header of a plain file is row 1")
    request_no: str
    voucher_type: str | None
    applied_fen: int
    redeemed_at: str | None


class OnlyTheirs(TheirEntry):
    hint: Hint = Field(
        description="reversed: we know it as undone; other_period: as of another day; "
        "repeated: this number stands in the list more often than with us; unknown: not at all"
    )


class Different(BaseModel):
    request_no: str
    fields: list[Literal["voucher_type", "applied_fen", "redeemed_at"]]
    ours: OurEntry
    theirs: TheirEntry


class Counts(BaseModel):
    matched: int
    only_ours: int
    only_theirs: int
    different: int
    rejected: int = Field(description="rows that could not be read")


class Totals(BaseModel):
    count: int
    applied_fen: int


class Reconciled(BaseModel):
    """The first thousand rows of each list; all of them are in the workbook."""

    id: str
    institution_id: str
    first: str = Field(serialization_alias="from")
    last: str = Field(serialization_alias="to")
    amount_unit: Unit = Field(description="how the file's amounts were read")
    counts: Counts
    totals: dict[Literal["ours", "theirs"], Totals]
    matched: list[OurEntry]
    only_ours: list[OurEntry]
    only_theirs: list[OnlyTheirs]
    different: list[Different]
    rejected: list[ImportFault]
    truncated: bool
    workbook: str = Field(description="path of the workbook")


class ReconciliationItem(BaseModel):
    id: str
    institution_id: str
    institution: str
    first: str = Field(serialization_alias="from")
    last: str = Field(serialization_alias="to")
    counts: Counts
    file_sha256: str
    at: str
    workbook: str
