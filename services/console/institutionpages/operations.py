"""What pages of several areas ask for alike: the campaigns, and what their voucher types are called."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.clients.integrity import Refused
from shared.clients.services import Calls, at
from shared.errors import Busy

_CAMPAIGNS_MAX = 200


@dataclass(frozen=True, slots=True)
class Campaigns:
    """`choices` are (slug, title, title), as a form's choice takes them; `types` by slug: (key, name)."""

    choices: Sequence[tuple[str, str, str]]
    types: dict[str, Sequence[tuple[str, str]]]
    type_names: dict[str, str]

    def chosen(self, slug: str) -> str:
        """The campaign that was asked for, else the newest; empty where there is none."""
        return slug or (self.choices[0][0] if self.choices else "")

    def with_chosen(self, slug: str) -> Sequence[tuple[str, str, str]]:
        """The choices, with one that was asked for by its address and is not among them."""
        known = any(slug == value for value, _, _ in self.choices)
        return self.choices if known or not slug else [*self.choices, (slug, slug, slug)]


async def campaigns_of(calls: Calls) -> Campaigns:
    """All published ones, newest first; none while issuance does not answer: these pages work without it."""
    try:
        items = await calls.every(at("issuance", "campaigns"), {}, most=_CAMPAIGNS_MAX)
    except (Refused, Busy):
        items = []
    types: dict[str, Sequence[tuple[str, str]]] = {
        one["slug"]: [(kind["key"], kind["name"]) for kind in one["voucher_types"]] for one in items
    }
    return Campaigns(
        choices=[(one["slug"], one["title"], one["title"]) for one in items],
        types=types,
        type_names={key: name for named in reversed(types.values()) for key, name in named},
    )
