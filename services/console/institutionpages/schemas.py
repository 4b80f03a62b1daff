"""The form of an institution, and what it becomes in the call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Form

from services.console.institutionpages.rules import WEEKDAYS, hours_of, typed_hours, words_of
from shared.vouchers.categories import category_name

_TEXT_LENGTH_MAX = 500
_OWNED: Mapping[str, bool] = {"true": True, "false": False}

Typed = Annotated[str, Form(max_length=_TEXT_LENGTH_MAX)]


@dataclass(frozen=True, slots=True)
class InstitutionForm:
    """As typed. `accepts` is keys of one campaign's types."""

    name: str = ""
    category: str = ""
    county: str = ""
    public: str = ""
    address: str = ""
    credit_code: str = ""
    campaign: str = ""
    accepts: tuple[str, ...] = ()
    hours: Mapping[str, str] | None = None
    reason: str = ""

    def body(self) -> dict[str, Any]:
        """What both calls take; the call judges it."""
        return {
            "name": self.name.strip(),
            "category": self.category.strip(),
            "county": self.county.strip() or None,
            "public": _OWNED.get(self.public),
            "address": self.address.strip() or None,
            "credit_code": self.credit_code.strip() or None,
            "hours": hours_of(self.hours or {}),
        }


async def institution_form(
    *,
    name: Typed = "",
    category: Typed = "",
    county: Typed = "",
    public: Typed = "",
    address: Typed = "",
    credit_code: Typed = "",
    campaign: Typed = "",
    accepts: Annotated[list[Typed] | None, Form()] = None,
    reason: Typed = "",
    mon: Typed = "",
    tue: Typed = "",
    wed: Typed = "",
    thu: Typed = "",
    fri: Typed = "",
    sat: Typed = "",
    sun: Typed = "",
) -> InstitutionForm:
    days = (mon, tue, wed, thu, fri, sat, sun)
    return InstitutionForm(
        name,
        category,
        county,
        public,
        address,
        credit_code,
        campaign,
        tuple(key for text in accepts or () for key in words_of(text)),
        {day: typed for (day, _, _), typed in zip(WEEKDAYS, days, strict=True)},
        reason,
    )


def form_of(record: Mapping[str, Any], campaign: str, language: str) -> InstitutionForm:
    """The form filled with what is kept of an institution, and what it accepts in a campaign."""
    accepts: tuple[str, ...] = ()
    for one in record["memberships"]:
        if one["campaign"] == campaign:
            accepts = (*one["accepts"], *one["awaiting"])
    public = record["public"]
    return InstitutionForm(
        name=record["name"],
        category=category_name(record["category"], language),
        county=record["county"] or "",
        public="" if public is None else str(public).lower(),
        address=record["address"] or "",
        credit_code=record["credit_code"] or "",
        campaign=campaign,
        accepts=accepts,
        hours=typed_hours(record["hours"]),
    )
