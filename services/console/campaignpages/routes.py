"""Campaigns: what they are, every version of what rules them, and the forms that propose changes."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import File, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse

from services.console.campaignpages.errors import DefinitionUnreadable
from services.console.campaignpages.rules import (
    CAMPAIGN_HEADER,
    CAMPAIGN_WIDTHS,
    LIMITS,
    LIMITS_NEEDED,
    PHASE_STATES,
    STATUS_CHOICES,
    STATUS_NAMES,
    SUBJECT_NAMES,
    SUBJECTS,
    VERSION_HEADER,
    VERSION_WIDTHS,
    call_of,
    campaign_rows,
    holding,
    in_force,
    percent_of,
    put_in,
    sum_of,
    version_of,
    version_row,
    version_text,
)
from services.console.campaignpages.schemas import definition_in
from services.console.changenames.rules import names_of
from services.console.pages.routes import OUR_FORM, BureauReader, Visitor, page_router
from services.console.pages.schemas import EXPORTED_MAX, language_for, listed_file
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import NotFound
from shared.identity.staff import WRITERS

router = page_router("/console/campaigns")

Act = Literal[
    "odds",
    "quiz-rule",
    "stock",
    "phase",
    "carry-over",
    "budget",
    "funding-shares",
    "limits",
    "channel",
    "settlement-hold",
    "pause",
    "resume",
]
Subject = Annotated[str, Query(max_length=32)]
Typed = Annotated[str, Query(max_length=100)]


def _path(slug: str, *segments: str) -> str:
    return at("issuance", "campaigns", slug, *segments)


async def _both(visitor: Visitor, slug: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The campaign as it is, and every version of what rules it."""
    campaign, versions = await asyncio.gather(
        visitor.calls.get(_path(slug)), visitor.calls.get(_path(slug, "versions"))
    )
    return campaign, versions["items"]


async def _fitting(visitor: Visitor, typed: str, status: str) -> list[Mapping[str, Any]]:
    found = await visitor.calls.every(at("issuance", "campaigns"), {}, most=EXPORTED_MAX)
    return [one for one in holding(found, typed, "title", "slug") if status in {"", one["status"]}]


@router.get("")
async def campaigns(visitor: BureauReader, q: Typed = "", status: Subject = "") -> Response:
    return visitor.page(
        "campaignpages/campaigns.html",
        here="campaigns",
        campaigns=await _fitting(visitor, q, status),
        q=q,
        status_chosen=status,
        status_choices=STATUS_CHOICES,
        query=urlencode({"q": q, "status": status}),
        phase_states=PHASE_STATES,
        percent_of=percent_of,
        writes=visitor.staff.has(*WRITERS),
    )


@router.get("/export.xlsx")
async def export(visitor: BureauReader, q: Typed = "", status: Subject = "") -> Response:
    found = await _fitting(visitor, q, status)
    rows = [row for one in found for row in campaign_rows(one, STATUS_NAMES[one["status"]])]
    return await listed_file("活动", CAMPAIGN_HEADER, rows, CAMPAIGN_WIDTHS)


def _new_page(visitor: Visitor, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    values = {"refused": None, "file_name": "", **shown}
    return visitor.page("campaignpages/new.html", here="campaigns", **values)


@router.get("/new")
async def new(visitor: BureauReader) -> Response:
    return _new_page(visitor)


@router.post("/new", dependencies=[OUR_FORM])
async def propose_new(
    request: Request, visitor: BureauReader, file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Every fault of the file with its place, or the change that another person decides."""
    sent = file if file is not None and file.filename else None
    name = sent.filename if sent else ""
    try:
        proposed = await visitor.calls.post(at("issuance", "campaigns"), await definition_in(sent))
    except Refused as refused:
        return _new_page(visitor, refused=refused, file_name=name, status=refused.status)
    except DefinitionUnreadable as unreadable:
        problem = {"code": unreadable.code, "detail": unreadable.detail(language_for(request))}
        return _new_page(visitor, refused=Refused(422, problem), file_name=name, status=422)
    return _proposed(proposed)


def _proposed(answer: dict[str, Any]) -> Response:
    return RedirectResponse(f"/console/changes?done=proposed#c-{answer['change_id']}", status_code=303)


@router.get("/{slug}")
async def campaign(visitor: BureauReader, slug: str, done: str | None = None) -> Response:
    shown, versions = await _both(visitor, slug)
    return visitor.page(
        "campaignpages/campaign.html",
        here="campaigns",
        campaign=shown,
        names={entry["key"]: entry["name"] for entry in shown["voucher_types"]},
        fund=in_force(versions, "budget_and_shares"),
        hold=in_force(versions, "settlement_hold"),
        rules={phase["seq"]: in_force(versions, "quiz_rule", phase["seq"]) for phase in shown["phases"]},
        put_in=put_in(versions),
        phase_states=PHASE_STATES,
        percent_of=percent_of,
        writes=visitor.staff.has(*WRITERS),
        done=done,
    )


@router.get("/{slug}/versions")
async def versions(visitor: BureauReader, slug: str, subject: Subject = "") -> Response:
    shown, found = await _both(visitor, slug)
    names = names_of(shown, found)
    chosen = [item for item in reversed(found) if subject in {"", item["subject"]}]
    return visitor.page(
        "campaignpages/versions.html",
        here="campaigns",
        campaign=shown,
        subject=subject,
        subjects=SUBJECTS,
        subject_names=SUBJECT_NAMES,
        versions=[(item, version_of(item, names), version_text(item, names)) for item in chosen],
    )


@router.get("/{slug}/versions.xlsx")
async def versions_file(visitor: BureauReader, slug: str, subject: Subject = "") -> Response:
    shown, found = await _both(visitor, slug)
    names = names_of(shown, found)
    rows = [version_row(item, names) for item in reversed(found) if subject in {"", item["subject"]}]
    return await listed_file(f"{slug}-版本记录", VERSION_HEADER, rows, VERSION_WIDTHS)


async def _propose_page(
    visitor: Visitor,
    slug: str,
    seq: int | None,
    *,
    typed: dict[str, str] | None = None,
    **shown: Any,  # noqa: ANN401 - what the template shows
) -> Response:
    """The forms for a phase; what was typed into the refused one stays."""
    values = {"refused": None, "act": "", "chosen_type": "", **shown}
    campaign, found = await _both(visitor, slug)
    phases = {phase["seq"]: phase for phase in campaign["phases"]}
    chosen = phases.get(seq or min(phases))
    if chosen is None:
        raise NotFound
    return visitor.page(
        "campaignpages/propose.html",
        here="campaigns",
        campaign=campaign,
        phase=chosen,
        phase_choices=[(n, f"第 {n} 期", f"Phase {n}") for n in phases],
        later=[(n, f"第 {n} 期", f"Phase {n}") for n in phases if n > chosen["seq"]],
        types=[(one["key"], one["name"], one["name"]) for one in campaign["voucher_types"]],
        rule=in_force(found, "quiz_rule", chosen["seq"]),
        fund=in_force(found, "budget_and_shares"),
        hold=in_force(found, "settlement_hold"),
        limits=LIMITS,
        limits_needed=LIMITS_NEEDED,
        sum_of=sum_of,
        typed=typed or {},
        next_seq=max(phases) + 1,
        percent_of=percent_of,
        **values,
    )


@router.get("/{slug}/propose")
async def propose_page(
    visitor: BureauReader,
    slug: str,
    phase: int | None = None,
    odds: Annotated[str, Query(max_length=12)] = "",
    voucher_type: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """`odds` comes from the planner, in per cent; `voucher_type` from the stock that runs short."""
    planned = {"odds": odds} if odds else None
    act = "odds" if odds else ""
    return await _propose_page(visitor, slug, phase, typed=planned, act=act, chosen_type=voucher_type)


@router.post("/{slug}/propose/{seq}/{act}", dependencies=[OUR_FORM])
async def propose(request: Request, visitor: BureauReader, slug: str, seq: int, act: Act) -> Response:
    form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
    campaign, found = await _both(visitor, slug)
    segments, asked = call_of(act, seq, form, campaign, found)
    said = {"reason": form.get("reason", ""), "request_no": form.get("request_no") or None}
    try:
        answer = await visitor.calls.post(_path(slug, *segments), {**asked, **said})
    except Refused as refused:
        return await _propose_page(
            visitor, slug, seq, typed=form, refused=refused, act=act, status=refused.status
        )
    if act in {"pause", "resume"}:
        return RedirectResponse(f"/console/campaigns/{slug}?done={act}", status_code=303)
    return _proposed(answer)
