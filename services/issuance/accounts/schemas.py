from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from shared.http.replies import Body

_NAME = r"^[^\x00-\x1f\x7f*]+$"


class SignIn(Body):
    provider: Literal["wechat", "alipay", "demo"]
    code: Annotated[str, StringConstraints(min_length=1, max_length=256)] = Field(
        description="what the app's sign-in call returned; with `demo` any text is a stable person"
    )


class CitizenView(BaseModel):
    id: str
    identity_verified: bool


class Token(BaseModel):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the scheme's name, no secret
    expires_in: int = Field(description="seconds")


class Session(Token):
    citizen: CitizenView


class Identity(Body):
    name: Annotated[str, StringConstraints(min_length=2, max_length=50, strip_whitespace=True, pattern=_NAME)]
    id_type: Literal["resident_id"]
    id_number: Annotated[str, StringConstraints(max_length=100)]
    consent_version: Annotated[
        str, StringConstraints(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z._-]+$")
    ] = Field(description="the text that the citizen agreed to")


class IdentityBound(BaseModel):
    identity_verified: Literal[True] = True
    name_masked: str
    id_number_masked: str
    session: Token | None = Field(
        description="Only for a person who was here before and had let the account go: the account now "
        "stands for that person, with its limits. Use this token from now on; the one that was sent "
        "still names the account's former, unverified person."
    )
