"""What everybody may read: the campaigns, and what a refusal means."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from services.console.publicpages.rules import ErrorRow, parse_errors
from shared.kit import Kit
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef


@dataclass(frozen=True, slots=True)
class PublicPages:
    kit: Kit

    async def campaigns(self) -> list[CampaignRef]:
        """The published campaigns, which anybody may know of."""
        async with self.kit.database.snapshot() as tx:
            return await catalogue.campaigns(tx)

    def errors(self) -> list[ErrorRow]:
        return _error_rows()


@cache
def _error_rows() -> list[ErrorRow]:
    """The rows of docs/errors.md: of the repository, or the copy that an installed package carries."""
    packaged = files("services.console.publicpages") / "errors.md"
    page = packaged if packaged.is_file() else files("services") / ".." / "docs" / "errors.md"
    return parse_errors(page.read_text(encoding="utf-8"))
