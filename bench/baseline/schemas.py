from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Redeem(BaseModel):
    model_config = ConfigDict(extra="forbid")

    request_no: Annotated[str, Field(min_length=1, max_length=32, pattern="^[0-9A-Za-z_-]+$")]
    voucher: Annotated[str, Field(min_length=1, max_length=128)]
    bill_fen: Annotated[int, Field(ge=1, le=100_000_000)]


class Redemption(BaseModel):
    id: str
    request_no: str
    voucher_type: str
    applied_fen: int
    payable_fen: int
    redeemed_at: datetime
