from pydantic import BaseModel, Field

from services.quota.tablesums.rules import Kind


class FindingView(BaseModel):
    kind: Kind
    where: str
    published: int | str | None = Field(description="as printed")
    recomputed: int | str | None
    difference: int | str | None = Field(description="published − recomputed")
    message: str = Field(description="one sentence for people")


class TableCheck(BaseModel):
    """`ok`: nothing was found. `checked` says how much was looked at."""

    ok: bool
    findings: list[FindingView]
    checked: dict[str, int]
