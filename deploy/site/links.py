"""Takes a page's links from where it lies in the repository to where it lies on the site. Pure."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

_FENCE = re.compile(r"^\s*(```|~~~)")
_CODE = re.compile(r"(`+[^`\n]*`+)")
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_BEGINS_A_LIST = re.compile(r"^([-*]|\d+\.) ")
# A line that ends in Chinese, outside of headings and tables, and one that goes on in it.
_CHINESE_END = re.compile(r"^(?![#|]).*[\u3000-\u9fff\uff00-\uffef“”…）]$")
_CHINESE_START = re.compile(r"^ *[\u3000-\u9fff\uff00-\uffef“”`*\[]")
_BELONGS_TO_A_LIST = re.compile(r"^(\s+\S|[-*] |\d+\. )")

# Where a file of the repository stands on the site; None for what the site has not.
Place = Callable[[PurePosixPath], PurePosixPath | None]


def moved(text: str, source: PurePosixPath, staged: PurePosixPath, place: Place) -> str:
    """The page with links that hold at its new place.

    A link to what the site has not becomes its words. Lists get the empty line before them that GitHub does
    without and the site's Markdown does not.
    """
    written: list[str] = []
    for line, is_code in _lines(text):
        if not is_code and _BEGINS_A_LIST.match(line) and _runs_on(written):
            written.append("")
        written.append(line if is_code else _line(line, source, staged, place))
    return "\n".join(written) + "\n"


def unbroken(text: str) -> str:
    """Chinese has no spaces, and a browser shows a broken line as one: such lines become one line."""
    written: list[str] = []
    before_is_code = False
    for line, is_code in _lines(text):
        goes_on = written and not is_code and not before_is_code and _CHINESE_END.search(written[-1])
        if goes_on and _CHINESE_START.match(line):
            written[-1] += line.lstrip()
        else:
            written.append(line)
        before_is_code = is_code
    return "\n".join(written) + "\n"


def _lines(text: str) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is part of a fenced block."""
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        inside = bool(fence) or mark is not None
        if mark and not fence:
            fence = mark[1]
        elif mark and fence == mark[1]:
            fence = ""
        yield line, inside


def _runs_on(written: list[str]) -> bool:
    before = written[-1] if written else ""
    return bool(before.strip()) and not before.startswith(("#", "|")) and not _BELONGS_TO_A_LIST.match(before)


def _line(line: str, source: PurePosixPath, staged: PurePosixPath, place: Place) -> str:
    # Code in a link's words is part of the link: links are looked for where no code stands in their target.
    if "](" not in line:
        return line
    kept: list[str] = []
    hidden = _CODE.sub(lambda match: _hide(match[1], kept), line)
    taken = _LINK.sub(lambda match: _link(match, source, staged, place), hidden)
    return re.sub(r"\x00(\d+)\x00", lambda match: kept[int(match[1])], taken)


def _hide(code: str, kept: list[str]) -> str:
    kept.append(code)
    return f"\x00{len(kept) - 1}\x00"


def _link(match: re.Match[str], source: PurePosixPath, staged: PurePosixPath, place: Place) -> str:
    mark, words, target = match[1], match[2], match[3]
    path, _, anchor = target.partition("#")
    if "://" in target or not path:
        return match[0]
    there = place(PurePosixPath(os.path.normpath(source.parent / path)))
    if there is None:
        return words
    relative = os.path.relpath(there, staged.parent)
    return f"{mark}[{words}]({relative}{'#' + anchor if anchor else ''})"
