from typing import Literal

from pydantic import BaseModel, Field

from services.redemption.institutions.schemas import ReasonText
from shared.documents.reports import ImportFault, ImportReport
from shared.http.replies import StaffBody


class DirectoryImportReport(ImportReport):
    warnings: list[ImportFault] = Field(
        description="credit codes that do not fit their check symbol; their rows are accepted"
    )
    import_id: str | None = Field(default=None, description="to undo it by; none for a dry run")
    change_id: str | None = Field(
        default=None, description="the change that approves its types, where the campaign asks for that"
    )


class ImportItem(BaseModel):
    id: str
    campaign: str
    file_sha256: str
    rows: int
    accepted: int
    updated: int
    imported_by: str
    imported_at: str
    undone_at: str | None


class UndoImport(StaffBody):
    reason: ReasonText


class KeptInstitution(BaseModel):
    institution_id: str
    name: str | None
    reason: Literal["changed_since", "redeemed_since", "priced_since", "has_terminals", "has_staff"] = Field(
        description="what somebody did with it since"
    )


class ImportUndone(BaseModel):
    import_id: str
    removed: int = Field(description="institutions that the list had added")
    restored: int = Field(description="institutions that are as they were before the list")
    kept: list[KeptInstitution]
