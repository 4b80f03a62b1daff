from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from services.quota.rankings.schemas import MONTH_FORM
from shared.http.replies import Day

_WORDS_MAX = 200
_ATTACHMENTS_MAX = 20

Attachment = Annotated[str, StringConstraints(min_length=1, max_length=_WORDS_MAX)]


class Asked(BaseModel):
    """Which month, and what stands on the document beside figures; what is left out stays open."""

    month: str | None = Field(default=None, pattern=MONTH_FORM, description="YYYY-MM; this month if left out")
    edition: int | None = Field(default=None, ge=1, le=10_000, description="the latest if left out")
    issuer: str = Field(default="", max_length=_WORDS_MAX, description="发文机关")
    number: str = Field(default="", max_length=_WORDS_MAX, description="发文字号, such as 乐卫发〔2020〕18号")
    addressees: str = Field(default="", max_length=_WORDS_MAX, description="主送机关")
    copies: str = Field(default="", max_length=_WORDS_MAX, description="抄送")
    attachments: list[Attachment] = Field(
        default_factory=list,
        max_length=_ATTACHMENTS_MAX,
        description="附件, named below the text in this order",
    )
    red_head: bool = Field(default=True, description="false: it is printed on the bureau's letterhead")
    dated: Day | None = Field(default=None, description="成文日期; the day of the freeze if left out")


class LettersQuery(Asked):
    everybody: bool = Field(default=False, description="letters to all hospitals, not the flagged ones only")


DocumentQuery = Annotated[Asked, Query()]
