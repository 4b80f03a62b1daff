from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.issuance.notices.rules import KINDS, Kind, Language
from services.issuance.preferences.rules import is_phone
from shared.http.replies import Body
from shared.idempotency import RequestNo

TEMPLATES_MAX = 10


class SmsWanted(Body):
    """Switched off, the phone number is forgotten. A new phone is asked for a code first."""

    enabled: bool
    phone: Annotated[str | None, StringConstraints(max_length=20)] = None
    kinds: Annotated[list[Kind] | None, Field(max_length=len(KINDS))] = None

    @model_validator(mode="after")
    def _a_phone_of_a_person(self) -> Self:
        if self.phone is not None and not is_phone(self.phone):
            raise PydanticCustomError("phone_invalid", "请填写 11 位手机号码")
        return self


class PreferencesWanted(Body):
    """What is left out stays as it is."""

    language: Language | None = None
    sms: SmsWanted | None = None


class GrantsReported(Body):
    """What `wx.requestSubscribeMessage` answered, by template id."""

    request_no: RequestNo
    results: Annotated[
        dict[Annotated[str, StringConstraints(max_length=64)], Literal["accept", "reject", "ban", "filter"]],
        Field(min_length=1, max_length=TEMPLATES_MAX),
    ]


class PhoneCode(Body):
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


class PendingView(BaseModel):
    """A phone to which a code was sent; nothing else is before the code came back."""

    phone_masked: str
    expires_at: str


class SmsView(BaseModel):
    available: bool
    enabled: bool
    phone_masked: str | None = Field(description="where SMS go to: confirmed by a code")
    pending: PendingView | None = Field(description="a phone that waits to be confirmed")
    kinds: list[Kind]


class TemplateView(BaseModel):
    template_id: str
    kinds: list[Kind]
    once: bool = Field(description="each consent is good for one message")
    grants_left: int


class WeChatView(BaseModel):
    available: bool
    templates: list[TemplateView]


class PreferencesView(BaseModel):
    language: Language
    sms: SmsView
    wechat: WeChatView
