"""What an import answers (api.md section 0): rows = accepted + rejected + duplicates."""

from pydantic import BaseModel, Field

# Beyond this the file is the wrong one; the counts still tell how bad it is.
ERRORS_MAX = 1000


class ImportFault(BaseModel):
    row: int = Field(description="as in the sheet; the header of a plain file is row 1")
    column: str | None
    message: str


class ImportReport(BaseModel):
    """`duplicates` changed nothing: they repeat a row of the file, or what was known already."""

    rows: int
    accepted: int = Field(description="new and updated")
    rejected: int
    duplicates: int
    updated: int = 0
    errors: list[ImportFault] = []
    already_imported: bool = Field(default=False, description="this very file was imported before")
    dry_run: bool = False
