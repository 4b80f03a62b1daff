"""The form of a table check, and what it becomes in the call."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form, UploadFile

from shared.clients.services import Upload

# Moves of quota that the form has room for; the call takes more.
MOVES = 4
_TEXT_LENGTH_MAX = 200
_REASON = "页面核对时填写"

Texts = Annotated[Sequence[Annotated[str, Form(max_length=_TEXT_LENGTH_MAX)]], Form(max_length=MOVES)]


@dataclass(frozen=True, slots=True)
class Move:
    """Quota that went from one hospital to another, as typed."""

    source: str
    target: str
    points: str
    cards: str

    @property
    def is_empty(self) -> bool:
        return not (self.source or self.target or self.points or self.cards)


def moves_of(
    source: Sequence[str], target: Sequence[str], points: Sequence[str], cards: Sequence[str]
) -> list[Move]:
    rows = zip(source, target, points, cards, strict=False)
    return [Move(*(text.strip() for text in row)) for row in rows]


def adjustments_of(moves: Sequence[Move]) -> str | None:
    """The call's JSON; the call judges it. None without any."""
    entries = [
        {
            "from": move.source,
            "to": move.target,
            **({"share_points": move.points} if move.points else {}),
            **({"cards": int(move.cards) if move.cards.isdecimal() else move.cards} if move.cards else {}),
            "reason": _REASON,
        }
        for move in moves
        if not move.is_empty
    ]
    return json.dumps(entries, ensure_ascii=False) if entries else None


def sent_file(file: UploadFile | None) -> Upload | None:
    """None where the form's place for a file was left empty."""
    return Upload(file.filename, file.file) if file is not None and file.filename else None


def no_file() -> Upload:
    """Sent on where the table itself was left out, for the call to say so."""
    return Upload("未选择文件", io.BytesIO())
