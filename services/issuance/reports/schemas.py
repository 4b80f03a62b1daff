from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from shared.http.replies import Day
from shared.paperwork.schemas import WORDS_MAX, ReportWords


class Asked(BaseModel):
    """What stands on this one report beside its figures; left out, it is as the bureau keeps it."""

    issuer: str = Field(default="", max_length=WORDS_MAX, description="发文机关")
    number: str = Field(
        default="", max_length=WORDS_MAX, description="发文字号, such as 红卫健发〔2020〕18号"
    )
    addressees: str = Field(default="", max_length=WORDS_MAX, description="主送机关")
    copies: str = Field(default="", max_length=WORDS_MAX, description="抄送机关")
    red_head: bool | None = Field(default=None, description="true: the issuer in red over a red line")
    dated: Day | None = Field(default=None, description="成文日期; the day of the figures if left out")

    def over(self, kept: ReportWords) -> ReportWords:
        """What the request leaves open is said by the words that the bureau keeps."""
        return kept.model_copy(
            update={
                "issuer": self.issuer or kept.issuer,
                "number": self.number or kept.number,
                "addressees": self.addressees or kept.addressees,
                "copies": self.copies or kept.copies,
                "red_head": kept.red_head if self.red_head is None else self.red_head,
            }
        )


ReportQuery = Annotated[Asked, Query()]
