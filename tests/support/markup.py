"""What a page is made of, read without a browser: headings, fields with their labels, words of its frame."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from typing_extensions import override

_VOID = frozenset({"input", "br", "img", "link", "meta", "hr", "rect", "line", "path", "polygon", "polyline"})
_FIELDS = frozenset({"input", "select", "textarea"})
# What is written by us, whatever the data: a heading of a column, a label, a button, a fold.
_CHROME = frozenset({"h1", "label", "button", "summary", "legend", "th"})
_UNNAMED = frozenset({"hidden", "submit", "button"})


@dataclass
class Markup(HTMLParser):
    """Fed a page. `unlabelled` are fields that nobody who hears the page can name."""

    h1: list[str] = field(default_factory=list)
    unlabelled: list[str] = field(default_factory=list)
    chrome: list[str] = field(default_factory=list)
    styled: list[str] = field(default_factory=list)
    _open: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    _texts: list[str] = field(default_factory=list)
    _wanted: list[tuple[str, str]] = field(default_factory=list)
    _for: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "style" in given:
            self.styled.append(tag)
        if tag == "label" and given.get("for"):
            self._for.add(given["for"] or "")
        if tag in _FIELDS and given.get("type") not in _UNNAMED:
            self._look_at(tag, given)
        if tag not in _VOID:
            self._open.append((tag, given))
            self._texts.append("")

    def _look_at(self, tag: str, given: dict[str, str | None]) -> None:
        named = given.get("aria-label") or given.get("aria-labelledby")
        within = any(above == "label" for above, _ in self._open)
        if not named and not within:
            self._wanted.append((given.get("id") or "", f"{tag} {given.get('name')}"))

    @override
    def handle_endtag(self, tag: str) -> None:
        while self._open:
            last, given = self._open.pop()
            text = " ".join(self._texts.pop().split())
            if last == "h1":
                self.h1.append(text)
            if self._is_chrome(last, given):
                self.chrome.append(text)
            if last == tag:
                return

    def _is_chrome(self, tag: str, given: dict[str, str | None]) -> bool:
        """A heading of a row is data: what the row is about. What has a language of its own says so."""
        if "lang" in given:
            return False
        return tag in _CHROME and not (tag == "th" and given.get("scope") != "col")

    @override
    def handle_data(self, data: str) -> None:
        inside = [tag for tag, _ in self._open]
        if {"script", "style", "option", "select", "small"} & set(inside):
            return
        if self._texts:
            self._texts[-1] += data
            # The words of a part belong to what holds it, too.
            for place in range(len(self._texts) - 1):
                if self._open[place][0] in _CHROME:
                    self._texts[place] += data

    def faults(self) -> list[str]:
        """What is wrong with the page whatever its language."""
        self.unlabelled = [name for place, name in self._wanted if place not in self._for or not place]
        found = [f"no label: {name}" for name in self.unlabelled]
        if len(self.h1) != 1:
            found.append(f"{len(self.h1)} first headings")
        return found + [f"styled: {tag}" for tag in self.styled]


def markup_of(html: str) -> Markup:
    markup = Markup()
    markup.feed(html)
    markup.close()
    return markup


def chinese_in(texts: list[str], data: str) -> list[str]:
    """Texts with Chinese letters that are not part of the data."""
    return [text for text in texts if re.search(r"[\u4e00-\u9fff]", text) and text not in data]


# Names of things, which are the same in Chinese.
_NAMES = re.compile(
    r"Excel|CSV|YAML|JSON|SVG|PDF|Word|PostgreSQL|Redis|HTTP|Microsoft Authenticator|staff-\w+|[A-Z]{1,4}"
)


def english_in(texts: list[str], data: str) -> list[str]:
    """Texts with English words that are neither names nor part of the data."""
    found = []
    for text in texts:
        rest = _NAMES.sub("", text)
        if re.search(r"[A-Za-z]{3,}", rest) and text not in data:
            found.append(text)
    return found
