"""The question bank as clerks see and change it."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from services.issuance.bank.rules import State
from services.issuance.questions.schemas import QuestionDraft
from shared.http.replies import StaffBody

Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]
# A page of the statistics holds fewer.
_RETIRED_MAX = 200


class QuestionEdit(QuestionDraft, StaffBody):
    """The whole question as it shall be from now on."""


class StateChange(StaffBody):
    reason: Reason


_QuestionId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}$")]


class RetireMany(StaffBody):
    question_ids: Annotated[list[_QuestionId], Field(min_length=1, max_length=_RETIRED_MAX)]
    reason: Reason


class QuestionsRetired(BaseModel):
    retired: int = Field(description="those that were in use; the others were out of use already")


class QuestionView(BaseModel):
    """A version of a question. Statistics are per version: they go by its `question_id`."""

    question_id: str
    first_question_id: str = Field(description="the same for all versions of a question")
    version: int
    state: State
    text: str
    multiple: bool
    options: dict[str, str]
    answer: list[str]
    explanation: str | None
    difficulty: int
    category: str | None
    created_at: str
    retired_at: str | None
    retired_reason: str | None


class QuestionChanged(BaseModel):
    question_id: str
    version: int
    state: State


class CellView(BaseModel):
    """How many questions in use a blueprint can choose from."""

    difficulty: int
    category: str | None
    active: int


class BankSummary(BaseModel):
    active: int
    retired: int
    cells: list[CellView]
