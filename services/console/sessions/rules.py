"""What a session is called in the list of one's own. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

# A page more or less: the list answers "is that me", not "what did I do".
SEEN_EVERY = timedelta(minutes=5)
_DEVICE_UNKNOWN = "API"
# The first that fits: browsers name their ancestors too.
_BROWSERS = (
    ("Edge", r"\bEdgA?/"),
    ("微信", r"\bMicroMessenger/"),
    ("360", r"\b(?:QIHU|360SE|360EE)\b"),
    ("Firefox", r"\bFirefox/"),
    ("Chrome", r"\b(?:Headless)?Chrome/"),
    ("Safari", r"\bSafari/"),
)
_SYSTEMS = (
    ("HarmonyOS", r"HarmonyOS|OpenHarmony"),
    ("Android", r"Android"),
    ("iOS", r"iPhone|iPad"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("Linux", r"Linux"),
)


@dataclass(frozen=True, slots=True)
class Session:
    token_hash: bytes
    device: str | None
    created_at: datetime
    last_seen_at: datetime | None
    expires_at: datetime


def device_of(user_agent: str) -> str:
    """Browser and system in two words: the rest would tell more of a person than the list needs."""
    found = [
        next((name for name, pattern in names if re.search(pattern, user_agent)), "")
        for names in (_BROWSERS, _SYSTEMS)
    ]
    return " · ".join(name for name in found if name) or _DEVICE_UNKNOWN
