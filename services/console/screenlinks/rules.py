"""How long a link of the big screen is good, and what becomes of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.console.screenlinks.errors import ScreenLinkExpired, ScreenLinkRevoked

# A link lies in a browser's history on a machine in a hall: a month is as long as anybody looks after one.
VALID_DAYS_MAX = 30
# A meeting and the week after it.
VALID_DAYS_DEFAULT = 7

State = Literal["valid", "expired", "revoked"]
# Chinese, English, and the tone of its badge.
STATE_WORDS: Mapping[State, tuple[str, str, str]] = {
    "valid": ("有效", "valid", "published"),
    "expired": ("已过期", "expired", "ended"),
    "revoked": ("已撤销", "revoked", "ended"),
}


@dataclass(frozen=True, slots=True)
class ScreenLink:
    """`label` says where the screen hangs, or whom the link was given to."""

    id: UUID
    label: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    def state(self, now: datetime) -> State:
        if self.revoked_at is not None:
            return "revoked"
        return "valid" if now < self.expires_at else "expired"


def require_valid(link: ScreenLink, now: datetime) -> None:
    """Raises ScreenLinkRevoked, ScreenLinkExpired."""
    match link.state(now):
        case "revoked":
            raise ScreenLinkRevoked
        case "expired":
            raise ScreenLinkExpired
        case "valid":
            return
