from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from services.console.secondfactor.schemas import Code
from services.console.staff.rules import PASSWORD_LENGTH_MAX, Account, Standing
from shared.clock import rfc3339
from shared.http.replies import Body, StaffBody
from shared.identity.staff import Role, Staff

# Letters of any script: Chinese names are names.
Username = Annotated[str, StringConstraints(pattern=r"^[\w.@-]{1,64}$")]
# Bodies are strict, and JSON has no enumerations: the word stands for the role.
RoleName = Annotated[Role, Field(strict=False)]
BoundTo = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class SignInBody(Body):
    username: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=PASSWORD_LENGTH_MAX)]
    totp: Code | None = None


class StaffModel(BaseModel):
    id: str
    username: str
    roles: list[Role]


class SignedInReply(BaseModel):
    access_token: str = Field(description="opaque; send it as `Authorization: Bearer …`")
    token_type: str = Field(examples=["Bearer"])
    expires_in: int = Field(description="seconds")
    staff: StaffModel


class MeReply(StaffModel):
    institution_id: str | None
    hospital_id: str | None


class NewStaffBody(StaffBody):
    username: Username
    password: Annotated[str, StringConstraints(max_length=PASSWORD_LENGTH_MAX)]
    roles: Annotated[list[RoleName], Field(min_length=1, max_length=len(Role))]
    institution_id: BoundTo | None = None
    hospital_id: BoundTo | None = None


class AccountItem(MeReply):
    created_at: str
    disabled_at: str | None
    second_factor: bool = Field(description="whether signing in asks for a code besides the password")
    sessions: int = Field(description="live ones")
    locked_seconds: int = Field(description="until it may sign in again after failures; 0 when it may")


Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


class DisableBody(StaffBody):
    reason: Reason


class RolesBody(StaffBody):
    roles: Annotated[list[RoleName], Field(min_length=1, max_length=len(Role))]
    institution_id: BoundTo | None = None
    hospital_id: BoundTo | None = None
    reason: Reason


class EndSessionsBody(StaffBody):
    reason: Reason


class SessionsEndedReply(BaseModel):
    id: str
    sessions_ended: int


class DisabledReply(BaseModel):
    id: str
    disabled_at: str


class PasswordBody(Body):
    current_password: Annotated[str, StringConstraints(min_length=1, max_length=PASSWORD_LENGTH_MAX)]
    new_password: Annotated[str, StringConstraints(max_length=PASSWORD_LENGTH_MAX)]


def staff_model(staff: Staff) -> StaffModel:
    return StaffModel(id=str(staff.id), username=staff.username, roles=sorted(staff.roles))


def me_reply(staff: Staff) -> MeReply:
    return MeReply(
        id=str(staff.id),
        username=staff.username,
        roles=sorted(staff.roles),
        institution_id=staff.institution_id,
        hospital_id=staff.hospital_id,
    )


def account_item(account: Account, standing: Standing) -> AccountItem:
    return AccountItem(
        **me_reply(account.staff).model_dump(),
        created_at=rfc3339(account.created_at),
        disabled_at=None if account.disabled_at is None else rfc3339(account.disabled_at),
        second_factor=standing.second_factor,
        sessions=standing.sessions,
        locked_seconds=standing.locked_seconds,
    )
