from pydantic import BaseModel, Field

from services.console.sessions.rules import Session
from shared.clock import rfc3339


class SessionItem(BaseModel):
    id: str
    device: str | None = Field(description="browser and system, as it named itself")
    created_at: str
    last_seen_at: str | None = Field(description="to some minutes; by pages")
    expires_at: str
    current: bool = Field(description="the one that asks")


class SessionsReply(BaseModel):
    items: list[SessionItem]


class EndedReply(BaseModel):
    sessions_ended: int


def session_item(session: Session, *, current: bool) -> SessionItem:
    seen = session.last_seen_at
    return SessionItem(
        id=session.token_hash.hex(),
        device=session.device,
        created_at=rfc3339(session.created_at),
        last_seen_at=None if seen is None else rfc3339(seen),
        expires_at=rfc3339(session.expires_at),
        current=current,
    )
