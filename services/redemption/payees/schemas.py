from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from pydantic_core import PydanticCustomError

from services.redemption.institutions.schemas import Name, Reason, ReasonText
from services.redemption.payees.rules import plain_number
from shared.documents.cells import evaluates
from shared.http.replies import StaffBody

NUMBER_MIN, NUMBER_MAX = 6, 32


def _number(text: str) -> str:
    plain = plain_number(text)
    if not (plain.isascii() and plain.isdigit() and NUMBER_MIN <= len(plain) <= NUMBER_MAX):
        raise PydanticCustomError("account_number", "账号须为 6 至 32 位数字")
    return plain


def _name(text: str) -> str:
    """The bank's file says it letter by letter, so nothing may have to be put in front of it there."""
    if evaluates(text):
        raise PydanticCustomError("account_text", "户名和开户行不能以 =、+、-、@ 开头")
    return text


AccountName = Annotated[Name, AfterValidator(_name)]
AccountNumber = Annotated[str, StringConstraints(max_length=64), AfterValidator(_number)]


class SetPayeeAccount(StaffBody):
    account_name: AccountName
    bank_name: AccountName = Field(description="bank and branch")
    account_number: AccountNumber = Field(description="digits; blanks and dashes are left out")
    reason: ReasonText


class PayeeAccountProposed(BaseModel):
    change_id: str
    status: Literal["pending"]


class MaskedAccount(BaseModel):
    """A payee account, masked; the payment file alone has it in full."""

    id: str
    version: int
    account_name: str
    bank_name: str
    account_number: str


class PayeeAccountItem(MaskedAccount):
    in_force: bool
    effective_from: str
    change_id: str


class PayeeAccountList(BaseModel):
    items: list[PayeeAccountItem]


class RevealPayeeAccount(Reason):
    pass


class RevealedAccount(BaseModel):
    id: str
    institution_id: str
    account_name: str
    bank_name: str
    account_number: str
