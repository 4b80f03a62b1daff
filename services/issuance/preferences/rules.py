"""Which phones there are, and what is told by SMS."""

import re

from services.issuance.notices.rules import KINDS, Kind

# What a person would lose money or a right by not knowing is told by SMS unless they choose otherwise;
# what they have just done themselves is not.
SMS_DEFAULT: tuple[Kind, ...] = (
    "revoked",
    "expiring",
    "award_won",
    "award_expiring",
    "activity_rejected",
)

_PHONE = re.compile(r"1[3-9][0-9]{9}")


def is_phone(text: str) -> bool:
    """A mobile number of mainland China."""
    return _PHONE.fullmatch(text) is not None


def masked_phone(phone: str) -> str:
    return phone[:3] + "****" + phone[-4:]


def sms_kinds(wanted: list[Kind] | None) -> list[Kind]:
    """Each once, in the order of KINDS; the default when the person has not chosen."""
    chosen = SMS_DEFAULT if wanted is None else wanted
    return [kind for kind in KINDS if kind in chosen]
