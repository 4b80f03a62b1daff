"""Draws over the wire.

The hot body and answer stand twice: as the documented pydantic model, and as the msgspec struct that is
read and written. A test holds the two together.
"""

from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, Field, StringConstraints

from shared.http.hot import HotBody, HotRequestNo
from shared.http.replies import Body, Page
from shared.idempotency import RequestNo

CLIENT_SEED_MAX = 64
# No control characters: the seed stands in a public file of lines, and is read out when a draw is checked.
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*"


class DrawBody(Body):
    request_no: RequestNo
    client_seed: Annotated[
        str,
        StringConstraints(max_length=CLIENT_SEED_MAX, pattern=_PRINTABLE + "$"),
        Field(description="what the citizen adds to the draw; empty when left out"),
    ] = ""


class AwardRef(BaseModel):
    id: str
    expires_at: str


class Proof(BaseModel):
    """All that is needed to recompute the draw once the phase's seed is public."""

    chance_id: str
    client_seed: str
    odds: str
    seed_commitment: str
    value: str = Field(description="64 hex digits")


class DrawView(BaseModel):
    draw_id: str
    won: bool
    award: AwardRef | None
    proof: Proof


class HotDraw(HotBody, frozen=True):
    request_no: HotRequestNo
    client_seed: Annotated[str, msgspec.Meta(max_length=CLIENT_SEED_MAX, pattern=_PRINTABLE + r"\Z")] = ""


class HotAwardRef(msgspec.Struct, frozen=True, gc=False):
    id: str
    expires_at: str


class HotProof(msgspec.Struct, frozen=True, gc=False):
    chance_id: str
    client_seed: str
    odds: str
    seed_commitment: str
    value: str


class HotDrawView(msgspec.Struct, frozen=True, gc=False):
    draw_id: str
    won: bool
    award: HotAwardRef | None
    proof: HotProof


class ChanceView(BaseModel):
    id: str
    campaign: str
    channel: str
    granted_at: str
    state: Literal["available", "drawn", "void"]


class Chances(Page[ChanceView]):
    available: int = Field(description="chances that can be drawn, on all pages together")


class AwardView(BaseModel):
    id: str
    campaign: str
    phase: int
    state: Literal["open", "claimed", "expired"]
    won_at: str
    expires_at: str
    claimed_at: str | None
    voucher_id: str | None
    voucher_type: str | None
    on_hold: bool = Field(description="cannot be claimed until staff have looked at it; does not expire")
    note: str | None = Field(description="what to tell the citizen about a held or withdrawn award")
