"""What the keys in changes stand for, asked of the services that gave them."""

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.console.changenames.rules import Names, about, merged, names_of
from shared.clients.services import Calls, answered, at

# So many institutions are asked for one by one; for more of them the directory is read.
_ONE_BY_ONE_MAX = 8
_DIRECTORY_MAX = 1000


@dataclass(frozen=True, slots=True)
class Naming:
    """The way to names, in the reader's name. What is not answered stays a key: the change is still shown."""

    calls: Calls

    async def of_changes(self, changes: Iterable[Mapping[str, Any]]) -> Names:
        wanted = about(changes)
        found = await asyncio.gather(
            *(self.of_campaign(slug) for slug in sorted(wanted.campaigns)),
            *(self._programme(slug) for slug in sorted(wanted.programmes)),
            self.of_institutions(wanted.institutions),
        )
        return merged(found)

    async def of_campaign(self, slug: str) -> Names:
        """Its title, voucher types, ways to take part and payers."""
        campaign, versions = await asyncio.gather(
            self._asked(at("issuance", "campaigns", slug)),
            self._asked(at("issuance", "campaigns", slug, "versions")),
        )
        return {} if campaign is None else names_of(campaign, (versions or {"items": []})["items"])

    async def _programme(self, slug: str) -> Names:
        programme = await self._asked(at("quota", "programmes", slug))
        return {} if programme is None else {"campaign": {slug: programme["title"]}}

    async def of_institutions(self, wanted: Collection[str]) -> Names:
        missing, found = sorted(wanted), {}
        if len(missing) > _ONE_BY_ONE_MAX:
            listed = await answered(
                self.calls.every(at("redemption", "institutions"), {}, most=_DIRECTORY_MAX)
            )
            found = {one["id"]: one["name"] for one in listed or () if one["id"] in wanted}
            missing = [one for one in missing if one not in found]
        asked = missing[:_ONE_BY_ONE_MAX]
        records = await asyncio.gather(*(self._asked(at("redemption", "institutions", one)) for one in asked))
        found |= {key: one["name"] for key, one in zip(asked, records, strict=True) if one is not None}
        return {"institution": found}

    async def _asked(self, path: str) -> Any:  # noqa: ANN401 - whatever the call answers
        return await answered(self.calls.get(path))
