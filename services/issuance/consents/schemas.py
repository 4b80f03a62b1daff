from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from pydantic_core import PydanticCustomError

from services.issuance.consents.rules import How, Kind
from shared.http.replies import Body, Moment, StaffBody
from shared.idempotency import RequestNo

Version = Annotated[str, StringConstraints(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z._-]+$")]


def _no_address(version: str) -> str:
    if version == "current":
        raise PydanticCustomError("version_reserved", "is the address of the text in effect")
    return version


class NewText(StaffBody):
    version: Annotated[Version, AfterValidator(_no_address)]
    kind: Kind
    title: Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
    text: Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
    effective_from: Moment


class TextHead(BaseModel):
    kind: Kind
    version: str
    title: str
    effective_from: str
    published_at: str


class TextView(TextHead):
    text: str


class GiveConsent(Body):
    request_no: RequestNo
    kind: Kind
    version: Version


class WithdrawConsent(Body):
    request_no: RequestNo


class ConsentState(BaseModel):
    withdrawn: bool = Field(description="true: nothing new can be taken part in until consent is given again")


class ConsentView(BaseModel):
    purpose: str = Field(description="`identity`: given with the identity; else the kind of the text")
    version: str
    action: Literal["given", "withdrawn"]
    how: How
    at: str


class OwnConsents(ConsentState):
    items: list[ConsentView] = Field(description="oldest first")
