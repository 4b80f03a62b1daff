"""The quiz over the wire.

Each hot body and answer stands twice: as the documented pydantic model, and as the msgspec struct that is
read and written. A test holds the two together.
"""

from typing import Annotated

import msgspec
from pydantic import BaseModel, Field, StringConstraints

from services.issuance.quiz.rules import SHOWN_KEYS, Question, shown_answer
from shared.http.hot import HotBody, HotRequestNo
from shared.http.replies import Body
from shared.idempotency import RequestNo

# Beyond any quiz: bounds what a hostile body can make us look at.
ANSWERS_MAX = 200
QUESTION_ID_MAX = 32
TOKEN_MAX = 64


class StartBody(Body):
    request_no: RequestNo


class OptionView(BaseModel):
    key: str = Field(description="a letter, by the order in which the options are shown to this person")
    text: str


class QuestionView(BaseModel):
    id: str
    text: str
    multiple: bool = Field(description="more than one option may be right")
    options: list[OptionView]


class AttemptView(BaseModel):
    attempt_id: str
    expires_at: str
    questions: list[QuestionView]
    attempt_token: str | None = Field(
        default=None, description="to send along with the answers; left out when the quiz rule asks for none"
    )


ShownKey = Annotated[str, StringConstraints(min_length=1, max_length=1)]
QuestionId = Annotated[str, StringConstraints(max_length=QUESTION_ID_MAX)]


class AnswersBody(Body):
    request_no: RequestNo
    answers: Annotated[
        dict[QuestionId, Annotated[list[ShownKey], Field(max_length=len(SHOWN_KEYS))]],
        Field(max_length=ANSWERS_MAX, description="question id → the letters chosen; left out = wrong"),
    ]
    attempt_token: Annotated[str, StringConstraints(max_length=TOKEN_MAX)] | None = Field(
        default=None, description="as the start answered it"
    )


class ResultView(BaseModel):
    question_id: str
    correct: bool
    answer: list[str] = Field(description="the right letters, as they were shown")
    explanation: str | None


class MarkView(BaseModel):
    score: int = Field(description="percentage of right answers, rounded down")
    passed: bool
    pass_score: int
    chances_granted: int
    results: list[ResultView]


class HotStart(HotBody, frozen=True):
    request_no: HotRequestNo


class HotAnswers(HotBody, frozen=True):
    request_no: HotRequestNo
    answers: Annotated[
        dict[
            Annotated[str, msgspec.Meta(max_length=QUESTION_ID_MAX)],
            Annotated[
                list[Annotated[str, msgspec.Meta(min_length=1, max_length=1)]],
                msgspec.Meta(max_length=len(SHOWN_KEYS)),
            ],
        ],
        msgspec.Meta(max_length=ANSWERS_MAX),
    ]
    attempt_token: Annotated[str, msgspec.Meta(max_length=TOKEN_MAX)] | None = None


class HotOption(msgspec.Struct, frozen=True, gc=False):
    key: str
    text: str


class HotQuestion(msgspec.Struct, frozen=True, gc=False):
    id: str
    text: str
    multiple: bool
    options: list[HotOption]


class HotAttempt(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    attempt_id: str
    expires_at: str
    questions: list[HotQuestion]
    attempt_token: str | None = None


class HotResult(msgspec.Struct, frozen=True, gc=False):
    question_id: str
    correct: bool
    answer: list[str]
    explanation: str | None


class HotMark(msgspec.Struct, frozen=True, gc=False):
    score: int
    passed: bool
    pass_score: int
    chances_granted: int
    results: list[HotResult]


def shown_question(question: Question, order: str) -> HotQuestion:
    """Letters follow the shown order, so that they do not tell how the question was written."""
    return HotQuestion(
        id=str(question.id),
        text=question.text,
        multiple=question.multiple,
        options=[
            HotOption(shown, question.options[key]) for shown, key in zip(SHOWN_KEYS, order, strict=False)
        ],
    )


def shown_result(question: Question, order: str, *, correct: bool) -> HotResult:
    return HotResult(str(question.id), correct, shown_answer(question, order), question.explanation)
