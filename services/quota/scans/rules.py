"""What a scan is: a person's first of the day, the same device's again, or a machine's. Pure."""

import re
from typing import Literal

Seen = Literal["first", "repeat", "bot"]

# What a device is given at its first scan of a code, for a day and for this code only: it follows nobody
# anywhere, and is not stored.
COOKIE = "hv_scan"
COOKIE_SECONDS = 86_400
COOKIE_BYTES = 12
_COOKIE_FORM = re.compile(r"[0-9a-f]{24}")

# Machines that say so: crawlers, previews of links, scripts. Who says nothing at all is one, too.
_MACHINES = re.compile(
    r"bot\b|spider|crawl|slurp|preview|headless|monitor|curl/|wget/|python|go-http|java/|okhttp|scrapy|axios",
    re.IGNORECASE,
)


def device_in(cookie: str | None) -> str | None:
    """The device that scanned this code before, today; None for a made-up value."""
    return cookie if cookie is not None and _COOKIE_FORM.fullmatch(cookie) else None


def seen_as(device: str | None, user_agent: str) -> Seen:
    """Every scan counts; repeated ones and machines' are shown apart."""
    if not user_agent.strip() or _MACHINES.search(user_agent):
        return "bot"
    return "first" if device is None else "repeat"
