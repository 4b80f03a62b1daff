"""What is documented (pydantic) and what is read and written (msgspec) are the same."""

import types
import typing
from typing import Any, Literal

import msgspec
import pytest
from pydantic import BaseModel, ValidationError

from services.issuance.lottery import schemas as lottery
from services.issuance.quiz import schemas as quiz
from services.issuance.wallet import schemas as wallet

BODIES = [
    (quiz.StartBody, quiz.HotStart),
    (quiz.AnswersBody, quiz.HotAnswers),
    (lottery.DrawBody, lottery.HotDraw),
    (wallet.ClaimBody, wallet.HotClaim),
]
REPLIES = [
    (quiz.AttemptView, quiz.HotAttempt),
    (quiz.MarkView, quiz.HotMark),
    (lottery.DrawView, lottery.HotDrawView),
    (wallet.VoucherView, wallet.HotVoucher),
    (wallet.TokenView, wallet.HotToken),
]

NUMBER: dict[str, Any] = {"request_no": "r1"}
TEXTS = [
    "",
    "a",
    "r-1_Z",
    "0" * 32,
    "0" * 33,
    "a b",
    "a\n",
    "\n",
    "红",
    "é",
    "\x00",
    "\x7f",
    "\u2028",
    "🎲" * 64,
]
TEXTS += ["🎲" * 65, "x" * 64, "x" * 65, "a\tb", "\x85"]
ODD: list[Any] = [None, 1, 1.5, True, [], {}]
CASES: dict[type[BaseModel], list[object]] = {
    quiz.StartBody: [{}, NUMBER, NUMBER | {"more": 1}, *({"request_no": value} for value in TEXTS + ODD)],
    quiz.AnswersBody: [
        NUMBER,
        NUMBER | {"answers": {}},
        *(NUMBER | {"answers": value} for value in ODD),
        *(
            NUMBER | {"answers": {"1": value}}
            for value in [*ODD, ["A"], ["A", "B"], ["AB"], [""], [1], ["红"]]
        ),
        *(NUMBER | {"answers": {value: ["A"]}} for value in TEXTS),
        NUMBER | {"answers": {"1": ["A"] * 6}},
        NUMBER | {"answers": {"1": ["A"] * 7}},
        NUMBER | {"answers": {str(number): [] for number in range(200)}},
        NUMBER | {"answers": {str(number): [] for number in range(201)}},
    ],
    lottery.DrawBody: [{}, NUMBER, *(NUMBER | {"client_seed": value} for value in TEXTS + ODD)],
    wallet.ClaimBody: [NUMBER, *(NUMBER | {"voucher_type": value} for value in TEXTS + ODD)],
}


@pytest.mark.parametrize(("documented", "hot"), BODIES, ids=lambda kind: kind.__name__)
def test_a_body_is_accepted_and_read_alike(documented: type[BaseModel], hot: type[msgspec.Struct]) -> None:
    for case in [*CASES[documented], [], None, "text"]:
        body = msgspec.json.encode(case)
        try:
            expected: object = documented.model_validate_json(body).model_dump()
        except ValidationError:
            expected = None
        try:
            found: object = msgspec.to_builtins(msgspec.json.decode(body, type=hot))
        except msgspec.ValidationError:
            found = None
        assert found == expected, case


@pytest.mark.parametrize(("documented", "hot"), REPLIES, ids=lambda kind: kind.__name__)
def test_a_reply_has_the_documented_fields_and_types(
    documented: type[BaseModel], hot: type[msgspec.Struct]
) -> None:
    assert shape(hot) == shape(documented)


def shape(kind: Any) -> object:  # noqa: ANN401 - any annotation
    """Field names and types, the same for both kinds of classes; a literal is its text."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return {name: shape(field.annotation) for name, field in kind.model_fields.items()}
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return {field.name: shape(field.type) for field in msgspec.structs.fields(kind)}
    origin = typing.get_origin(kind)
    if origin is Literal:
        return str
    if origin in (types.UnionType, typing.Union):
        return sorted(repr(shape(part)) for part in typing.get_args(kind))
    if origin is list:
        return [shape(part) for part in typing.get_args(kind)]
    return kind


def test_shapes_that_differ_are_told_apart() -> None:
    class Other(msgspec.Struct):
        token: str
        expires_at: str | None

    assert shape(Other) != shape(wallet.TokenView)
