"""Which documents a bureau shapes itself, where their calls are, and what a form of words says. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """A sort of document; `report` has a number and sentences of its own."""

    kind: str
    zh: str
    en: str
    report: bool = False


# By whose they are: the service, its list, and its documents.
OWNERS: Mapping[str, tuple[str, str, Sequence[Document]]] = {
    "campaign": ("issuance", "campaigns", (Document("report", "工作情况报告", "Report", report=True),)),
    "programme": (
        "quota",
        "programmes",
        (Document("bulletin", "通报", "Notice"), Document("reminder", "提醒函", "Reminder")),
    ),
}
_SAID = ("issuer", "addressees", "copies")


@dataclass(frozen=True, slots=True)
class Owner:
    """A campaign or a programme; `name` is how the page's address says it."""

    sort: str
    slug: str

    @property
    def name(self) -> str:
        return f"{self.sort}:{self.slug}"

    @property
    def documents(self) -> Sequence[Document]:
        return OWNERS[self.sort][2]

    def call(self, tail: str) -> tuple[str, ...]:
        service, listed, _ = OWNERS[self.sort]
        return (service, listed, self.slug, *tail.split("/"))

    def document(self, kind: str) -> Document | None:
        return next((one for one in self.documents if one.kind == kind), None)


def owner_of(name: str) -> Owner | None:
    """None: not an address that this page made."""
    sort, _, slug = name.partition(":")
    return Owner(sort, slug) if sort in OWNERS and slug else None


def words_of(document: Document, typed: Mapping[str, str]) -> dict[str, object]:
    """The body of the call: a sentence for each line that is not empty."""
    words: dict[str, object] = {key: typed.get(key, "").strip() for key in _SAID}
    words["red_head"] = typed.get("red_head") == "true"
    if document.report:
        words["number"] = typed.get("number", "").strip()
        for key in ("problems", "next_steps"):
            words[key] = [line.strip() for line in typed.get(key, "").splitlines() if line.strip()]
    return words
