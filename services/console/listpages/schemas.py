"""What a clerk decided about names that are near to known ones."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Form

# More rows that nobody is sure of are another list.
_ROWS_MAX = 200
_LENGTH_MAX = 64

Texts = Annotated[Sequence[Annotated[str, Form(max_length=_LENGTH_MAX)]], Form(max_length=_ROWS_MAX)]


def confirmed_form(row: Texts = (), meant: Texts = ()) -> dict[str, str]:
    """By row: the hospital's id, or `new`; rows that are left undecided are not in it."""
    return {number: answer for number, answer in zip(row, meant, strict=False) if answer}
