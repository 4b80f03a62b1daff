"""Reads our Markdown: its links, and the anchors that they may point to (as GitHub makes them)."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

FENCE = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\s*\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
EXPLICIT_ANCHOR = re.compile(r"<a\s+(?:id|name)=\"([^\"]+)\"")


def links(text: str) -> Iterator[str]:
    """The targets of all links, those in code left out."""
    for match in LINK.finditer(CODE.sub("", FENCE.sub("", text))):
        yield match[1]


def anchors(text: str) -> set[str]:
    found: set[str] = set(EXPLICIT_ANCHOR.findall(text))
    for heading in HEADING.findall(FENCE.sub("", text)):
        slug = base = _slug(heading)
        number = 0
        while slug in found:
            number += 1
            slug = f"{base}-{number}"
        found.add(slug)
    return found


def _slug(heading: str) -> str:
    words = LINK.sub(lambda match: match[0].partition("]")[0].lstrip("!["), heading).lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def dead_links(page: Path, root: Path) -> Iterator[str]:
    """Links into this repository that lead nowhere; addresses elsewhere are not looked up."""
    for target in links(page.read_text(encoding="utf-8")):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = unquote(target).partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.is_relative_to(root) or not file.exists():
            yield f"{page.relative_to(root)}: {target} is not there"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"{page.relative_to(root)}: {target} has no such heading"
