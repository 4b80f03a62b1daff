"""The table of errors, read out of its page. Pure."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """A row of docs/errors.md; `anchor` is where a problem's `type` leads: the first row of its code."""

    code: str
    status: int
    zh: str
    en: str
    anchor: bool


_ERROR_ROW = re.compile(
    r"\| (<a id=\"[a-z0-9_]+\"></a>)?`([a-z0-9_]+)` \| (\d{3}) \| (.*) \| (.*) \| `[^`]+` \|"
)


def parse_errors(markdown: str) -> list[ErrorRow]:
    return [
        ErrorRow(code, int(status), zh.replace("\\|", "|"), en.replace("\\|", "|"), bool(anchor))
        for anchor, code, status, zh, en in _ERROR_ROW.findall(markdown)
    ]
