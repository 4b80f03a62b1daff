from typing import Any, Literal

from pydantic import BaseModel, Field

Format = Literal["json", "zip"]
Rows = list[dict[str, Any]]


class Export(BaseModel):
    """Everything that the platform holds about a person, in clear to that person."""

    as_of: str
    person_id: str = Field(description="what staff know the person by")
    accounts: Rows
    identity: Rows
    consents: Rows
    participation: Rows
    attempts: Rows = Field(description="with the questions as asked, and the answers")
    activities: Rows = Field(description="with the evidence")
    photos: Rows = Field(description="the pictures themselves are in the zip")
    chances: Rows
    draws: Rows = Field(description="with their proofs")
    awards: Rows
    vouchers: Rows = Field(description="with codes and history: issued, redeemed where, when, how much")
    notices: Rows
    notice_preferences: Rows
    notice_grants: Rows
    exclusions: Rows
    holds: Rows
    sightings: Rows
    erasures: Rows


class GivenUpVoucher(BaseModel):
    id: str
    campaign: str
    voucher_type: str
    amount_fen: int


class GivenUp(BaseModel):
    """What could still be used, and returned to whoever paid for it."""

    vouchers: list[GivenUpVoucher]
    awards: int
    chances: int


class Erased(BaseModel):
    erased: Literal[True] = True
    erased_at: str
    given_up: GivenUp
