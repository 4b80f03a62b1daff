"""What an import belongs to, as chosen, and what it becomes in the calls."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from services.console.importpages.rules import Import
from shared.clients.services import at
from shared.errors import NotFound

_YEAR = 2020


@dataclass(frozen=True, slots=True)
class Target:
    """`slug` of a campaign or programme, `basis` by its name, `year` of a calendar with its `source`."""

    slug: str = ""
    basis: str = ""
    year: int = _YEAR
    source: str = ""

    def given(self) -> dict[str, str | int]:
        """For the address of the template."""
        values: dict[str, str | int] = {"slug": self.slug, "basis": self.basis, "year": self.year}
        return {name: value for name, value in values.items() if value}

    def path(self, what: Import, last: str) -> str:
        """Of the call that takes the file, or gives its template. Raises NotFound: nothing was chosen."""
        if what.scope == "year":
            return at(
                what.service, *what.segments, *(() if last == "template.xlsx" else (str(self.year),)), last
            )
        if not self.slug:
            raise NotFound
        named = (self.basis or "床位数",) if what.key == "basis" else ()
        return at(what.service, f"{what.scope}s", self.slug, *what.segments, *named, last)

    def asked(self, what: Import) -> dict[str, str]:
        return {"source": self.source} if what.scope == "year" else {}


def target_in(
    slug: Annotated[str, Query(max_length=100)] = "",
    basis: Annotated[str, Query(max_length=40)] = "",
    year: Annotated[int, Query(ge=2000, le=2100)] = _YEAR,
) -> Target:
    return Target(slug=slug, basis=basis.strip(), year=year)
