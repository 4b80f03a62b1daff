"""Vouchers over the wire.

The hot body and answer stand twice: as the documented pydantic model, and as the msgspec struct that is
read and written. A test holds the two together.
"""

from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, Field, StringConstraints

from shared.http.hot import HotBody, HotRequestNo
from shared.http.replies import Body
from shared.idempotency import RequestNo

VOUCHER_TYPE_MAX = 64


class ClaimBody(Body):
    request_no: RequestNo
    voucher_type: Annotated[str, StringConstraints(min_length=1, max_length=VOUCHER_TYPE_MAX)]


class InstitutionRef(BaseModel):
    id: str


class VoucherView(BaseModel):
    id: str
    code: str = Field(description="in groups of four, for the till to type")
    campaign: str
    voucher_type: str
    name: str
    kind: Literal["directed", "general"]
    status: Literal["issued", "redeemed", "expired", "revoked"]
    face_value_fen: int | None = Field(description="of a general voucher")
    valid_from: str
    valid_until: str
    redeemed_at: str | None
    institution: InstitutionRef | None = Field(description="where it was redeemed")


class TokenView(BaseModel):
    token: str = Field(description="the text behind the QR code")
    expires_at: str


class HotClaim(HotBody, frozen=True):
    request_no: HotRequestNo
    voucher_type: Annotated[str, msgspec.Meta(min_length=1, max_length=VOUCHER_TYPE_MAX)]


class HotInstitution(msgspec.Struct, frozen=True, gc=False):
    id: str


class HotVoucher(msgspec.Struct, frozen=True, gc=False):
    id: str
    code: str
    campaign: str
    voucher_type: str
    name: str
    kind: str
    status: str
    face_value_fen: int | None
    valid_from: str
    valid_until: str
    redeemed_at: str | None
    institution: HotInstitution | None


class HotVouchers(msgspec.Struct, frozen=True, gc=False):
    items: list[HotVoucher]
    next_cursor: str | None


class HotToken(msgspec.Struct, frozen=True, gc=False):
    token: str
    expires_at: str
