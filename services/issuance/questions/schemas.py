from typing import Annotated

from pydantic import BaseModel, Field

from shared.http.replies import Body, StaffBody

# A bank of several hundred goes in at once; thousands come as a file.
_AT_ONCE_MAX = 1000
_ANY_TEXT = Annotated[str, Field(max_length=5000)]


class QuestionDraft(Body):
    """`options` by letter, `answer` the right letters. What is wrong rejects this question only."""

    text: _ANY_TEXT = ""
    options: dict[str, _ANY_TEXT] = Field(default_factory=dict, max_length=50)
    answer: list[_ANY_TEXT] = Field(default_factory=list, max_length=50)
    explanation: _ANY_TEXT | None = None
    difficulty: Annotated[int, Field(ge=-1000, le=1000)] | None = Field(
        default=None, description="1 easy, 2 medium (default), 3 hard"
    )
    category: _ANY_TEXT | None = None


class QuestionsDraft(StaffBody):
    questions: Annotated[list[QuestionDraft], Field(min_length=1, max_length=_AT_ONCE_MAX)]


class QuestionFaultView(BaseModel):
    index: int = Field(description="place in the list, from 0")
    field: str
    message: str
    code: str


class QuestionsReport(BaseModel):
    """accepted + rejected + duplicates = questions sent; `updated` of the accepted were known already."""

    accepted: int
    rejected: int
    duplicates: int
    updated: int
    errors: list[QuestionFaultView]
