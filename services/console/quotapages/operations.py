"""What all pages of card programmes ask: which programmes there are, and which hospital a name means."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.clients.integrity import Refused
from shared.clients.services import Calls, at

# More names than these behind one word are no choice any more.
NAMES_MAX = 20
_UNKNOWN = (422, "hospital_unknown")


@dataclass(frozen=True, slots=True)
class Programmes:
    items: Sequence[dict[str, Any]]

    @property
    def choices(self) -> list[tuple[str, str, str]]:
        return [(one["slug"], one["title"], one["title"]) for one in self.items]

    def chosen(self, slug: str) -> str:
        """The one asked for, else the newest; empty while there is none."""
        return slug or (self.items[0]["slug"] if self.items else "")

    def one(self, slug: str) -> dict[str, Any] | None:
        return next((entry for entry in self.items if entry["slug"] == slug), None)


async def programmes_of(calls: Calls) -> Programmes:
    """A city has a few: one page holds them."""
    return Programmes((await calls.get(at("quota", "programmes"), {"limit": 200}))["items"])


async def names_like(calls: Calls, slug: str, typed: str) -> list[dict[str, Any]]:
    """Hospitals that a part of a name may mean, in the order of the list."""
    query = {"q": typed.strip() or None, "limit": NAMES_MAX}
    found: list[dict[str, Any]] = (await calls.get(at("quota", "programmes", slug, "hospitals"), query))[
        "items"
    ]
    return found


async def hospital_named(calls: Calls, slug: str, typed: str, *, english: bool) -> str:
    """The id of the hospital that is called so. Raises Refused: none is, or several may be."""
    found = await names_like(calls, slug, typed) if typed.strip() else []
    exact = [one for one in found if one["hospital"] == typed.strip()]
    meant = exact or found
    if len(meant) == 1:
        return str(meant[0]["hospital_id"])
    status, code = _UNKNOWN
    if not meant:
        zh, en = (
            f"名单中没有“{typed}”，请从提示中选择医院名称。",
            f"No hospital is called “{typed}”; choose a name.",
        )
    else:
        names = "、".join(one["hospital"] for one in meant[:5])
        zh, en = (
            f"“{typed}”可能指多家医院：{names}；请写全名。",
            f"“{typed}” may be {names}; write the whole name.",
        )
    raise Refused(status, {"code": code, "detail": en if english else zh})
