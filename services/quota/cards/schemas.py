"""Card events over the wire. The structs parse, the models document; a test holds the two together."""

from datetime import datetime
from typing import Annotated

import msgspec
from pydantic import BaseModel, Field, StringConstraints

from services.quota.cards.rules import (
    DEVICE_REF_LENGTH_MAX,
    EVENT_ID_FORM,
    EVENTS_MAX,
    HOLDER_REF_LENGTH_MAX,
    Kind,
    Outcome,
)
from services.quota.qrcodes.rules import SENT_LENGTH_MAX
from shared.documents.reports import ImportReport
from shared.http.hot import HotBody
from shared.http.replies import Body, Moment


class HotCardEvent(HotBody, frozen=True):
    event_id: Annotated[str, msgspec.Meta(pattern=rf"^{EVENT_ID_FORM}\Z")]
    holder_ref: Annotated[str, msgspec.Meta(min_length=1, max_length=HOLDER_REF_LENGTH_MAX)]
    kind: Kind
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    scene: Annotated[str, msgspec.Meta(max_length=SENT_LENGTH_MAX)] | None = None
    device_ref: Annotated[str, msgspec.Meta(min_length=1, max_length=DEVICE_REF_LENGTH_MAX)] | None = None


class HotCardEvents(HotBody, frozen=True):
    events: Annotated[list[HotCardEvent], msgspec.Meta(max_length=EVENTS_MAX)]


class HotResult(msgspec.Struct, frozen=True, gc=False):
    event_id: str
    outcome: str


class HotResults(msgspec.Struct, frozen=True, gc=False):
    results: list[HotResult]


class CardEventBody(Body):
    event_id: Annotated[str, StringConstraints(pattern=f"^{EVENT_ID_FORM}$")]
    holder_ref: Annotated[str, StringConstraints(min_length=1, max_length=HOLDER_REF_LENGTH_MAX)] = Field(
        description="whatever tells one holder from another; stored as a keyed hash only"
    )
    kind: Kind = Field(description="`landed` and `applied` count for the funnel only; send them if you can")
    at: Moment = Field(description="when it happened; decides whose code came first")
    scene: Annotated[str, StringConstraints(max_length=SENT_LENGTH_MAX)] | None = None
    device_ref: Annotated[str, StringConstraints(min_length=1, max_length=DEVICE_REF_LENGTH_MAX)] | None = (
        Field(
            default=None,
            description="whatever tells the applicant's device from another; stored as a keyed hash only",
        )
    )


class CardEventsBody(Body):
    events: Annotated[list[CardEventBody], Field(max_length=EVENTS_MAX)]


class EventResult(BaseModel):
    event_id: str
    outcome: Outcome


class EventResults(BaseModel):
    """In the order of the events."""

    results: list[EventResult]


class EventImportReport(ImportReport):
    """`duplicates` are events that were known; `outcomes` says what the accepted ones came to."""

    outcomes: dict[Outcome, int] = Field(default_factory=dict)
