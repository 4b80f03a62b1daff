from typing import Annotated, Literal

from pydantic import BaseModel, Field

from services.redemption.institutions.schemas import ReasonText, Short
from shared.http.replies import Day, StaffBody

PRICE_FEN_MAX = 1_000_000_000_000


class SetContractPrice(StaffBody):
    campaign: Short = Field(description="slug")
    voucher_type: Short
    price_fen: Annotated[int, Field(ge=1, le=PRICE_FEN_MAX)] | None = Field(
        description="at most the campaign's settlement price; null: the campaign's price from then on"
    )
    effective_from: Day = Field(description="a day to come, in the campaign's time zone")
    reason: ReasonText


class ContractPriceProposed(BaseModel):
    change_id: str
    status: Literal["pending"]


class ContractPriceItem(BaseModel):
    campaign: str
    voucher_type: str
    effective_from: str = Field(description="day in the campaign's time zone")
    version: int = Field(description="of several for one day the highest holds")
    price_fen: int | None = Field(description="null: the campaign's settlement price")
    in_force: bool
    reason: str
    change_id: str
    created_at: str


class ContractPriceList(BaseModel):
    items: list[ContractPriceItem]
