"""Names that every system takes for a file."""

import re

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def as_file_name(text: str) -> str:
    """`text` with `_` for what some system forbids in a file's name."""
    return _FORBIDDEN.sub("_", text)
