"""Taking part over the wire. What `evidence` is depends on the channel."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic_core import PydanticCustomError

from services.issuance.activities.rules import ShareKind, State
from shared.http.replies import Body
from shared.idempotency import RequestNo

ActivityChannel = Literal["share", "lead", "event", "fitness"]

_PHOTOS_MAX = 6


def _known_channel(channel: object) -> object:
    if channel == "quiz":
        raise PydanticCustomError("channel_unknown", "答题请使用 quiz-attempts")
    return channel


def _web_address(url: str) -> str:
    # Reviewers open it: nothing that a browser would run instead.
    if not url.lower().startswith(("http://", "https://")):
        raise PydanticCustomError("url_form", "网址须以 http:// 或 https:// 开头")
    return url


def _all_different(photos: list[str]) -> list[str]:
    if len(set(photos)) != len(photos):
        raise PydanticCustomError("photo_twice", "同一张照片只能使用一次")
    return photos


def _text(max_length: int) -> Any:  # noqa: ANN401 - a constraint
    return StringConstraints(min_length=1, max_length=max_length, strip_whitespace=True)


class CheckInEvidence(Body):
    check_in_code: Annotated[str, _text(500), Field(description="as typed, or the link on the poster")]


class ShareEvidence(Body):
    """`followed` and `registered`: where, and under which name or with what to show for it."""

    kind: ShareKind = "forwarded"
    url: Annotated[str, _text(2000), AfterValidator(_web_address)]
    text: Annotated[str, _text(2000)]


class LeadEvidence(Body):
    category: Annotated[str, _text(64)]
    place: Annotated[str, _text(200)]
    description: Annotated[str, _text(2000)]
    photos: Annotated[
        list[Annotated[str, StringConstraints(max_length=64)]],
        Field(
            default_factory=list,
            max_length=_PHOTOS_MAX,
            description="photo_ids of POST /issuance/v1/photos",
        ),
        AfterValidator(_all_different),
    ]


Evidence = CheckInEvidence | ShareEvidence | LeadEvidence

_EVIDENCE: dict[str, type[Evidence]] = {
    "share": ShareEvidence,
    "lead": LeadEvidence,
    "event": CheckInEvidence,
    "fitness": CheckInEvidence,
}


class ActivityBody(Body):
    """`evidence`: `{check_in_code}` for `event` and `fitness`, else the channel's own."""

    request_no: RequestNo
    channel: Annotated[ActivityChannel, BeforeValidator(_known_channel)]
    evidence: Evidence

    @field_validator("evidence", mode="wrap")
    @classmethod
    def _of_the_channel(
        cls, evidence: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:  # noqa: ANN401 - the channel's evidence
        wanted = _EVIDENCE.get(str(info.data.get("channel")))
        # Without a channel nobody can say what evidence should be: the channel is the fault.
        return handler(evidence) if wanted is None else wanted.model_validate(evidence)


class ActivityTaken(BaseModel):
    activity_id: str
    status: Literal["pending", "accepted"]
    chances_granted: int


class OwnActivityView(BaseModel):
    activity_id: str
    campaign: str
    channel: ActivityChannel
    status: State
    submitted_at: str
    chances_granted: int
    note: str | None = Field(description="why, when it was rejected")


class ChannelFigures(BaseModel):
    """`accepted` leads are the verified ones. `chances` counts those granted, by any day's activities."""

    channel: ActivityChannel
    submitted: int
    pending: int
    accepted: int
    rejected: int
    chances: int


class DayFigures(ChannelFigures):
    date: str = Field(description="activities by the day they were sent in, chances by the day granted")


class Figures(BaseModel):
    """Each way has a line of its own, in all and for each day."""

    as_of: str
    channels: list[ChannelFigures]
    daily: list[DayFigures]
