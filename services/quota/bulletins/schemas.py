from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from services.quota.bulletins.rules import TemplateKind
from services.quota.rankings.schemas import MONTH_FORM
from shared.http.replies import Day

_WORDS_MAX = 200


class Asked(BaseModel):
    """Which month, and what stands on the document beside figures; what is left out stays open."""

    month: str | None = Field(default=None, pattern=MONTH_FORM, description="YYYY-MM; this month if left out")
    edition: int | None = Field(default=None, ge=1, le=10_000, description="the latest if left out")
    issuer: str = Field(default="", max_length=_WORDS_MAX, description="发文机关")
    number: str = Field(default="", max_length=_WORDS_MAX, description="发文字号, such as 乐卫发〔2020〕18号")
    addressees: str = Field(default="", max_length=_WORDS_MAX, description="主送机关")
    copies: str = Field(default="", max_length=_WORDS_MAX, description="抄送")
    dated: Day | None = Field(default=None, description="成文日期; the day of the freeze if left out")


class LettersQuery(Asked):
    everybody: bool = Field(default=False, description="letters to all hospitals, not the flagged ones only")


DocumentQuery = Annotated[Asked, Query()]


class TemplateView(BaseModel):
    kind: TemplateKind
    default: bool = Field(description="the platform's own template is in use")
    sha256: str | None = Field(description="of the file that the bureau gave")
    fields: list[str] = Field(description="placeholders, written {{ field }}")
    lists: dict[str, list[str]] = Field(description="lists and the fields of their rows")
