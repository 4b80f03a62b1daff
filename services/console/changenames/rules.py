"""Whose names a list of changes needs, and how answers are put together. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What keys of the services stand for: names of voucher types, payers, institutions…, by their group.
Names = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class About:
    """Whose names a list of changes needs."""

    campaigns: frozenset[str]
    programmes: frozenset[str]
    institutions: frozenset[str]


def about(changes: Iterable[Mapping[str, Any]]) -> About:
    campaigns, programmes, institutions = set(), set(), set()
    for change in changes:
        body, (_, _, found) = change["body"], change["target"].partition(":")
        if change["service"] == "quota":
            programmes.add(change["target"])
        elif "campaign" in body:
            campaigns.add(body["campaign"])
        elif change["kind"] != "campaign" and not found:
            campaigns.add(change["target"])
        entries = [body, *(one for one in body.get("institutions", ()) if isinstance(one, Mapping))]
        institutions |= {one["institution_id"] for one in entries if one.get("institution_id")}
    return About(frozenset(campaigns), frozenset(programmes), frozenset(institutions))


def merged(parts: Iterable[Names]) -> Names:
    found: dict[str, dict[str, str]] = {}
    for part in parts:
        for group, names in part.items():
            found.setdefault(group, {}).update(names)
    return found


def names_of(campaign: Mapping[str, Any], versions: Sequence[Mapping[str, Any]]) -> Names:
    """A campaign's title, voucher types, ways to take part and payers, from what its calls answered."""
    funds = [item["value"] for item in versions if item["subject"] == "budget_and_shares"]
    return {
        "campaign": {campaign["slug"]: campaign["title"]},
        "voucher_type": _named(campaign["voucher_types"]),
        "channel": _named(campaign["channels"]),
        "payer": _named(funds[-1]["funding_sources"]) if funds else {},
    }


def _named(entries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {entry["key"]: entry["name"] for entry in entries}
