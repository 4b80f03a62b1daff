"""An attempt at the quiz as its person left it."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from services.issuance.quiz.rules import SHOWN_KEYS
from services.issuance.quiz.schemas import ANSWERS_MAX, MarkView, QuestionId, QuestionView, ShownKey
from shared.http.replies import Body

State = Literal["open", "answered", "expired"]
Chosen = dict[QuestionId, Annotated[list[ShownKey], Field(max_length=len(SHOWN_KEYS))]]


class DraftBody(Body):
    answers: Annotated[
        Chosen,
        Field(max_length=ANSWERS_MAX, description="all that is chosen so far; what was kept before is gone"),
    ]


class DraftKept(BaseModel):
    attempt_id: str
    seconds_left: int


class AttemptAsLeft(BaseModel):
    """The same questions in the same order, under the same letters, as when the attempt began."""

    attempt_id: str
    campaign: str
    state: State
    started_at: str
    expires_at: str
    seconds_left: int = Field(description="0 unless the attempt is open")
    questions: list[QuestionView]
    draft: dict[str, list[str]] = Field(description="what was chosen so far, by question id; of an open one")
    attempt_token: str | None = Field(description="of an open one whose quiz rule asks for it")
    result: MarkView | None = Field(description="of an answered one, as it was told then")
