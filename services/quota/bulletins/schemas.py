from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints

from services.quota.rankings.schemas import MONTH_FORM
from shared.http.replies import Day
from shared.paperwork.schemas import NoticeWords

_WORDS_MAX = 200
_ATTACHMENTS_MAX = 20

Attachment = Annotated[str, StringConstraints(min_length=1, max_length=_WORDS_MAX)]


class Asked(BaseModel):
    """Which month, and what stands on the document beside figures; left out, it is as the bureau keeps it."""

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
    red_head: bool | None = Field(
        default=None, description="false: it is printed on the bureau's letterhead; as kept if left out"
    )
    dated: Day | None = Field(default=None, description="成文日期; the day of the freeze if left out")

    def over(self, kept: NoticeWords) -> "Asked":
        """What the request leaves open is said by the words that the bureau keeps."""
        return self.model_copy(
            update={
                "issuer": self.issuer or kept.issuer,
                "addressees": self.addressees or kept.addressees,
                "copies": self.copies or kept.copies,
                "red_head": kept.red_head if self.red_head is None else self.red_head,
            }
        )


class LettersQuery(Asked):
    everybody: bool = Field(default=False, description="letters to all hospitals, not the flagged ones only")


DocumentQuery = Annotated[Asked, Query()]
