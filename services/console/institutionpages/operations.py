"""What pages of several areas ask for alike: campaigns and what their types are called, an institution."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.console.institutionpages.rules import waiting, with_expiry
from shared.clients.integrity import Refused
from shared.clients.services import Calls, answered, at
from shared.errors import NotFound

_CAMPAIGNS_MAX = 200
_TERMINALS_MAX = 5000
# Of those whose names fit what was typed; whoever finds none of his among these types more.
SUGGESTED_MAX = 20
# How an option names one of several institutions of the same name.
_ID_AT_THE_END = re.compile(r"\b(ins_[0-9A-Za-z]+)\s*$")


@dataclass(frozen=True, slots=True)
class Campaigns:
    """`choices` are (slug, title, title), as a form's choice takes them; `types` by slug: (key, name)."""

    choices: Sequence[tuple[str, str, str]]
    types: dict[str, Sequence[tuple[str, str]]]
    directed: dict[str, Sequence[tuple[str, str]]]
    type_names: dict[str, str]

    def chosen(self, slug: str) -> str:
        """The campaign that was asked for, else the newest; empty where there is none."""
        return slug or (self.choices[0][0] if self.choices else "")

    def with_chosen(self, slug: str) -> Sequence[tuple[str, str, str]]:
        """The choices, with one that was asked for by its address and is not among them."""
        known = any(slug == value for value, _, _ in self.choices)
        return self.choices if known or not slug else [*self.choices, (slug, slug, slug)]

    def directed_of(self, memberships: Sequence[Mapping[str, Any]]) -> Sequence[tuple[str, str]]:
        """Directed types that an institution accepts, or waits for, anywhere: (key, name)."""
        found: dict[str, str] = {}
        for member in memberships:
            taken = {*member["accepts"], *member["awaiting"]}
            known = self.directed.get(member["campaign"])
            pairs = [(key, key) for key in sorted(taken)] if known is None else known
            found |= {key: name for key, name in pairs if key in taken}
        return list(found.items())

    def title(self, slug: str) -> str:
        return next((title for value, title, _ in self.choices if value == slug), slug)


async def campaigns_of(calls: Calls) -> Campaigns:
    """All published ones, newest first; none while issuance does not answer: these pages work without it."""
    items = await answered(calls.every(at("issuance", "campaigns"), {}, most=_CAMPAIGNS_MAX)) or []
    types: dict[str, Sequence[tuple[str, str]]] = {
        one["slug"]: [(kind["key"], kind["name"]) for kind in one["voucher_types"]] for one in items
    }
    directed: dict[str, Sequence[tuple[str, str]]] = {
        one["slug"]: [
            (kind["key"], kind["name"]) for kind in one["voucher_types"] if kind["kind"] == "directed"
        ]
        for one in items
    }
    return Campaigns(
        choices=[(one["slug"], one["title"], one["title"]) for one in items],
        types=types,
        directed=directed,
        type_names={key: name for named in reversed(types.values()) for key, name in named},
    )


@dataclass(frozen=True, slots=True)
class Pick:
    """The institution that a list is of: by what was typed, or by the id in an address.

    Where what was typed fits none, or several, `unclear` says so and `among` are those that it fits.
    """

    institution_id: str = ""
    name: str = ""
    unclear: bool = False
    among: Sequence[dict[str, Any]] = ()


NOTHING_FOUND: Mapping[str, Any] = {"items": [], "next_cursor": None, "total": 0}


async def picked(calls: Calls, typed: str, institution_id: str, *, chooses: bool = True) -> Pick:
    """`chooses` is False for an institution's own staff, whose lists the service narrows by itself.

    Raises:
        Refused: the id in the address is of no institution.
    """
    if not chooses:
        return Pick(institution_id)
    by_id = _ID_AT_THE_END.search(typed)
    if by_id is not None or not typed:
        address = by_id[1] if by_id else institution_id
        return await _by_id(calls, address, typed) if address else Pick()
    fitting = await named_like(calls, typed)
    alike = [one for one in fitting if one["name"] == typed] or fitting
    if len(alike) == 1:
        return Pick(alike[0]["id"], alike[0]["name"])
    return Pick(name=typed, unclear=True, among=alike)


async def _by_id(calls: Calls, institution_id: str, typed: str) -> Pick:
    try:
        found = await calls.get(at("redemption", "institutions", institution_id))
    except Refused as refused:
        if typed and refused.status == NotFound.status:
            return Pick(name=typed, unclear=True)
        raise
    return Pick(institution_id, found["name"])


async def named_like(calls: Calls, typed: str) -> list[dict[str, Any]]:
    """Institutions whose name or address has it, also those that closed."""
    pages = await asyncio.gather(
        *(
            calls.get(at("redemption", "institutions"), {"q": typed, "limit": SUGGESTED_MAX, **which})
            for which in ({}, {"status": "closed"})
        )
    )
    return [one for page in pages for one in page["items"]][:SUGGESTED_MAX]


async def terminals_of(calls: Calls, institution_id: str) -> list[dict[str, Any]]:
    """As they were last seen, with until when their activation codes are good."""
    seen, made = await asyncio.gather(
        calls.every(at("redemption", "terminals"), {"institution_id": institution_id}, most=_TERMINALS_MAX),
        calls.get(at("redemption", "institutions", institution_id, "terminals")),
    )
    return with_expiry(seen, made["items"])


async def accounts_of(calls: Calls, institution_id: str) -> list[dict[str, Any]]:
    """None is kept of an institution that closed without any: the service does not find it then."""
    try:
        found = await calls.get(at("redemption", "institutions", institution_id, "payee-accounts"))
    except Refused as refused:
        if refused.status == NotFound.status:
            return []
        raise
    items: list[dict[str, Any]] = found["items"]
    return items


async def proposed_for(calls: Calls, institution_id: str, *, reads: bool) -> list[dict[str, Any]]:
    """What was proposed for it and nobody has decided; changes are the bureau's to see."""
    if not reads:
        return []
    query = {"status": "pending", "target": f"institution:{institution_id}"}
    return waiting((await calls.get(at("redemption", "changes"), query))["items"])
