"""The audit log: what staff did, with filters, before and after, and as a file."""

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Response

from services.console.auditpages.rules import (
    OBJECTS,
    action_choices,
    action_words,
    actor_words,
    sides,
    thing,
)
from services.console.integrity.operations import IntegrityDesk
from services.console.pages.routes import BureauReader, Visitor, page_router
from services.console.pages.schemas import EXPORTED_MAX, language_for, listed_file, shown_time
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.integrity.operations import AUDIT_CHAIN

_PATH = "/console/audit"
_WORD_LENGTH_MAX = 200
_DAY_LENGTH = 10
_HEADER = ("序号", "时间", "操作人", "操作", "操作代码", "对象", "对象编号", "之前", "之后", "指纹")
_WIDTHS = (8, 20, 16, 24, 26, 14, 38, 50, 50, 30)

router = page_router(_PATH)

Word = Annotated[str, Query(max_length=_WORD_LENGTH_MAX)]
Day = Annotated[str, Query(max_length=_DAY_LENGTH)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filter as chosen. `object_kind` narrows to a kind where no single object is named."""

    actor: str
    action: str
    object_kind: str
    object: str
    since: str
    until: str

    def given(self) -> dict[str, str]:
        """For the address of the page."""
        values = {
            "actor": self.actor,
            "action": self.action,
            "object_kind": self.object_kind,
            "object": self.object,
            "since": self.since,
            "until": self.until,
        }
        return {name: value for name, value in values.items() if value}

    def asked(self) -> dict[str, str]:
        """For the call: the last day counts whole."""
        values = {
            "actor": self.actor,
            "action": self.action,
            "object": self.object or (f"{self.object_kind}:" if self.object_kind else ""),
            "since": f"{self.since}T00:00:00+08:00" if self.since else "",
            "until": _behind(self.until),
        }
        return {name: value for name, value in values.items() if value}


def _behind(day: str) -> str:
    """The beginning of the next day; what is no day is left to the call, which says so."""
    if not day:
        return ""
    try:
        return f"{date.fromisoformat(day) + timedelta(days=1)}T00:00:00+08:00"
    except (ValueError, OverflowError):
        return day


def _wanted(
    *,
    actor: Word = "",
    action: Word = "",
    object_kind: Word = "",
    object: Word = "",  # noqa: A002 - the word of the contract
    since: Day = "",
    until: Day = "",
) -> Wanted:
    return Wanted(actor.strip(), action.strip(), object_kind, object.strip(), since, until)


Chosen = Annotated[Wanted, Depends(_wanted)]


async def _people(visitor: Visitor) -> list[tuple[str, str]]:
    found = await visitor.calls.every(at("console", "staff"), {}, most=EXPORTED_MAX)
    return sorted((one["username"], f"staff:{one['id']}") for one in found)


async def _chain(visitor: Visitor) -> tuple[bool, str] | None:
    """Whether the chain was whole when it was last followed, and when that was; None before that."""
    desk: IntegrityDesk = visitor.request.app.state.wiring.integrity
    kept = await desk.kept()
    if kept is None:
        return None
    whole = all(check.ok for check in kept.report.checks if check.name == AUDIT_CHAIN)
    return whole, shown_time(kept.report.as_of)


@router.get("")
async def audit_log(
    visitor: BureauReader,
    chosen: Chosen,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    refused: Refused | None = None
    found: dict[str, Any] = {"items": [], "next_cursor": None, "total": 0}
    people, chain = await asyncio.gather(_people(visitor), _chain(visitor))
    try:
        found = await visitor.calls.get(at("console", "audit-log"), {**chosen.asked(), "cursor": cursor})
    except Refused as answer:
        refused = answer
    given, further = chosen.given(), found["next_cursor"]
    return visitor.page(
        "auditpages/audit.html",
        here="audit",
        status=refused.status if refused else 200,
        refused=refused,
        entries=[(entry, sides(entry["before"], entry["after"])) for entry in found["items"]],
        total=found["total"],
        chosen=chosen,
        people=people,
        known=action_choices(),
        objects=OBJECTS,
        chain=chain,
        action_words=action_words,
        actor_words=actor_words,
        thing=thing,
        export=f"{_PATH}/export.xlsx?{urlencode(given)}",
        first=f"{_PATH}?{urlencode(given)}" if cursor else "",
        further=f"{_PATH}?{urlencode({**given, 'cursor': further})}" if further else "",
    )


@router.get("/export.xlsx")
async def export(visitor: BureauReader, chosen: Chosen) -> Response:
    items = await visitor.calls.every(at("console", "audit-log"), chosen.asked(), most=EXPORTED_MAX)
    place = 1 if language_for(visitor.request) == "en" else 0
    rows = []
    for entry in items:
        told = sides(entry["before"], entry["after"])
        what = thing(entry["object"])
        rows.append(
            (
                entry["seq"],
                entry["at"][:19].replace("T", " "),
                actor_words(entry["actor"], entry["username"])[place],
                action_words(entry["action"])[place],
                entry["action"],
                what.words[place],
                what.id,
                "\n".join(f"{side.words[place]}：{side.before}" for side in told if side.before is not None),
                "\n".join(f"{side.words[place]}：{side.after}" for side in told if side.after is not None),
                entry["entry_hash"],
            )
        )
    return await listed_file("操作日志", _HEADER, rows, _WIDTHS)
