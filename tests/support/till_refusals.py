"""Every refusal that a till can get, by the job in which it gets it; and a browser that does each job."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.redemption.activations.errors import ActivationCodeUnknown
from services.redemption.institutions.errors import InstitutionClosed
from services.redemption.lockouts.errors import TooManyWrongCodes
from services.redemption.manual.errors import ManualNotOffered, NoVoucherOfHolder
from services.redemption.operators.errors import OperatorRequired, OperatorUnknown
from services.redemption.reversals import errors as undoing
from services.redemption.serviceresults.errors import (
    RedemptionReversed,
    ReportsNoResult,
    ResultAlreadyReported,
)
from services.redemption.writeoff import errors as writing_off
from shared import errors
from shared.errors import Fault, InvalidRequest, Refusal
from shared.identity.errors import IdNumberInvalid
from shared.signing import ClockSkew, Replayed
from tests.support.counter import PHONE, REQUEST_ID, TABLET, Shop

REASONS = Path(__file__).resolve().parents[2] / "services/console/pages/static/pos/logic/reasons.js"
_ROW = re.compile(r'^  (\w+): \["(.+)", "(.+)", "(.+)", "(.+)"\],$', re.MULTILINE)


def worded() -> dict[str, tuple[str, str]]:
    """The codes that the page has words for: the reason and the next step, in Chinese."""
    return {code: (why, step) for code, why, _, step, _ in _ROW.findall(REASONS.read_text(encoding="utf-8"))}


@dataclass(frozen=True, slots=True)
class Job:
    """How one job is done on the page, what it asks the platform, and why that may say no.

    `fill` are fields with what is typed; `press` what is tapped, one after the other. `unknown`: where the
    page cannot know whether an earlier try arrived, it says so, and what is tapped then ends it.
    """

    name: str
    route: str
    fill: dict[str, str]
    press: tuple[str, ...]
    asks: str
    refusals: tuple[Refusal, ...]
    unknown: frozenset[str] = field(default=frozenset())
    leave: str = "#next"


# What a fault is about, in the words of the page's own labels.
_FIELDS = {
    "body.activation_code": "激活码",
    "body.bill_fen": "账单金额",
    "body.date": "日期",
    "body.id_number": "身份证号",
    "body.original_request_no": "原单号",
    "body.performed_at": "检测时间",
    "body.request_no": "单号",
    "body.used_at": "使用时间",
    "body.voucher": "券码",
}


def _wrong(place: str) -> InvalidRequest:
    return InvalidRequest(faults=(Fault(f"body.{place}", "is not right", "wrong"),))


_ID_NUMBER = "532522199003071233"
_MANY = TooManyWrongCodes(retry_after_seconds=600)
_OFTEN = errors.TooManyRequests(retry_after_seconds=60)
_MOMENT = (ClockSkew(extra={"server_time": "2020-10-20T12:00:00+08:00"}), Replayed())


def _selling(code: str) -> tuple[Job, ...]:
    return (
        Job(
            "verify",
            "",
            {"#voucher": code},
            ("#check",),
            "POST /redemptions/verify",
            (
                _MANY,
                _wrong("bill_fen"),
                errors.NotFound(),
                errors.Forbidden(),
                errors.PayloadTooLarge(),
                errors.UnsupportedMediaType(),
                errors.MethodNotAllowed(),
                *_MOMENT,
            ),
        ),
        Job(
            "redeem",
            "",
            {"#voucher": code},
            ("#check", "#confirm"),
            "POST /redemptions",
            (
                writing_off.VoucherNotFound(),
                writing_off.InstitutionNotEligible(),
                OperatorRequired(),
                OperatorUnknown(),
                writing_off.TerminalPaused(),
                writing_off.InstitutionPaused(),
                InstitutionClosed(),
                writing_off.VoucherRevoked(),
                writing_off.AlreadyRedeemed(),
                writing_off.NotYetValid(),
                writing_off.VoucherExpired(),
                writing_off.TokenExpired(),
                writing_off.TooLate(),
                writing_off.ReversedBeforeArrival(),
                errors.RequestNoReused(),
                _wrong("used_at"),
                _MANY,
                *_MOMENT,
            ),
            unknown=frozenset({_MANY.code, ClockSkew.code, Replayed.code}),
            leave="#leave",
        ),
    )


def _undoing() -> tuple[Job, ...]:
    return (
        Job(
            "reverse",
            "undo",
            {"#original": "nobody-0001", "#reason": "顾客取消"},
            ("#reverse",),
            "POST /reversals",
            (
                undoing.AlreadyReversed(),
                undoing.AlreadySettled(),
                undoing.NotReversible(),
                undoing.OriginalAmbiguous(),
                undoing.ResultReported(),
                undoing.ReversalByStaffOnly(),
                undoing.ReversalWindowOver(),
                OperatorUnknown(),
                errors.RequestNoReused(),
                _wrong("original_request_no"),
            ),
        ),
        Job(
            "result",
            "report",
            {"#report-no": "N-2020-77"},
            ("#report-do",),
            "POST /service-result",
            (
                ReportsNoResult(),
                RedemptionReversed(),
                ResultAlreadyReported(),
                errors.NotFound(),
                errors.RequestNoReused(),
                _wrong("performed_at"),
            ),
        ),
        Job(
            "find",
            "look",
            {"#number": "nobody-0001"},
            ("#find",),
            "GET /redemptions",
            (errors.NotFound(), errors.Forbidden(), _wrong("request_no")),
        ),
    )


def _without_a_code() -> tuple[Job, ...]:
    return (
        Job(
            "manual",
            "manual",
            {"#id-number": _ID_NUMBER, "#manual-bill-yuan": "60"},
            ("#manual-do",),
            "POST /redemptions/manual",
            (
                ManualNotOffered(),
                NoVoucherOfHolder(),
                IdNumberInvalid(),
                writing_off.TerminalPaused(),
                writing_off.ReversedBeforeArrival(),
                _wrong("id_number"),
                _MANY,
                _OFTEN,
            ),
            unknown=frozenset({_MANY.code, _OFTEN.code}),
            leave="#leave",
        ),
    )


def _end_of_the_day() -> tuple[Job, ...]:
    return (
        Job(
            "upload",
            "queue",
            {},
            ("#upload",),
            "POST /batches",
            (errors.RequestNoReused(), errors.PayloadTooLarge(), _wrong("voucher"), _MANY),
        ),
        Job(
            "close",
            "close",
            {"#day": "2020-10-20"},
            ("#close-day",),
            "POST /terminals/day-close",
            (_wrong("date"), errors.Forbidden()),
        ),
    )


def jobs(code: str) -> tuple[Job, ...]:
    """`code`: of a voucher that could be written off, and that no job here does write off."""
    return (*_selling(code), *_without_a_code(), *_undoing(), *_end_of_the_day())


# Before a device is a till there is no other job.
ACTIVATION = Job(
    "activate",
    "",
    {"#activation": "AAAA-BBBB-CCCC"},
    ("#activate",),
    "POST /terminals/activate",
    (ActivationCodeUnknown(), _OFTEN, _wrong("activation_code")),
)

# What is only a word: of a look, or of one item of an upload.
REDEEMABLE_NOT = (
    "voucher_not_found",
    "institution_not_eligible",
    "terminal_paused",
    "institution_paused",
    "voucher_revoked",
    "already_redeemed",
    "not_yet_valid",
    "voucher_expired",
    "token_expired",
)
ITEM_REFUSED = (
    *REDEEMABLE_NOT,
    "bill_fen_required",
    "operator_required",
    "operator_unknown",
    "too_late",
    "offline_cap",
    "request_no_reused",
    "reversed_before_arrival",
    "used_at_in_future",
    "invalid_request",
)

# One job from the first tap to what it says; all of it in the page, because a hundred rows are many.
DRIVER = """
window.told = async ({ route, fill, press, leave }) => {
    if (leave) await window.left(leave);
    const there = async (wanted) => {
        const end = performance.now() + 60000;
        for (;;) {
            const found = document.querySelector(`main:not([aria-busy]) ${wanted}`);
            if (found) return found;
            if (performance.now() > end) throw new Error(`${route}: no ${wanted}`);
            await new Promise((done) => setTimeout(done, 4));
        }
    };
    location.hash = `#/${route}`;
    for (const [id, typed] of Object.entries(fill)) (await there(id)).value = typed;
    for (const id of press) (await there(id)).click();
    await there('.outcome');
    return window.shown();
};
window.shown = () => {
    const box = document.querySelector('.outcome');
    const of = (what) => [...box.querySelectorAll(what)].map((one) => one.innerText);
    return {
        kind: box.className, colour: getComputedStyle(box).backgroundColor, title: of('h1')[0],
        words: of('.sentence'), steps: of('.advice'), faults: of('.fault'), support: of('.quiet').join(),
        focus: document.activeElement.id, heard: document.getElementById('live').innerText,
        wide: window.wide(),
    };
};
window.wide = () => {
    const cut = [...document.querySelectorAll('main *')].filter((one) => one.scrollWidth > one.clientWidth + 1
        && one.clientWidth > 1 && getComputedStyle(one).display !== 'inline' && !one.closest('.scroll'));
    return document.documentElement.scrollWidth - innerWidth + cut.length;
};
window.left = async (button) => {
    const until = async (holds) => {
        const end = performance.now() + 60000;
        while (!holds()) {
            if (performance.now() > end) throw new Error(`${button} leads nowhere`);
            await new Promise((done) => setTimeout(done, 4));
        }
    };
    document.querySelector(button).click();
    if (button !== '#next') {
        await until(() => document.querySelector('main:not([aria-busy]) #next'));
        document.querySelector('#next').click();
    }
    await until(() => !document.querySelector('.outcome') && document.querySelector('main form'));
};
0;
"""

_BAD, _UNKNOWN = "rgb(163, 36, 27)", "rgb(255, 212, 137)"


def wrong(job: Job, refusal: Refusal, shown: dict[str, Any]) -> list[str]:
    """Where the page says it otherwise than it should; nothing is good."""
    unknown = refusal.code in job.unknown
    wanted: dict[str, object] = {
        "kind": f"outcome {'unknown' if unknown else 'bad'}",
        "colour": _UNKNOWN if unknown else _BAD,
        "title": "结果未知，请勿重复收券" if unknown else "没有成功",
        "heard": "结果未知，请勿重复收券" if unknown else "没有成功",
        "words": [refusal.detail("zh")],
        "steps": [worded()[refusal.code][1]],
        "focus": "again" if unknown else "next",
        "wide": 0,
    }
    if refusal.faults and not unknown:
        wanted["faults"] = [f"请检查：{_FIELDS[fault.loc]}" for fault in refusal.faults]
    found = [
        f"{name}: {shown[name]!r}, not {value!r}" for name, value in wanted.items() if shown[name] != value
    ]
    if not unknown and REQUEST_ID not in str(shown["support"]):
        found.append("nothing to report it by")
    return [f"{job.name} {refusal.code}: {one}" for one in found]


def not_redeemable(reason: str, shown: dict[str, object]) -> list[str]:
    """The same for a look, whose answer is a word and no sentence."""
    why, step = worded()[reason]
    wanted = {"kind": "outcome bad", "colour": _BAD, "title": "不能核销", "heard": "不能核销"}
    told: dict[str, object] = {**wanted, "words": [why], "steps": [step], "focus": "next", "wide": 0}
    return [f"look {reason}, {name}: {shown[name]!r}" for name, value in told.items() if shown[name] != value]


def seen(reason: str) -> Callable[[Any], dict[str, Any]]:
    """What answers a look with no."""
    nothing = dict.fromkeys(("voucher_type", "kind", "applied_fen", "holder_masked", "valid_until"))
    return lambda _asked: {"redeemable": False, "reason": reason, **nothing}


def waiting(code: str) -> dict[str, Any]:
    """What a till keeps that took as many vouchers as an upload can have outcomes."""
    moments = [f"2020-10-20T09:00:{second:02}+08:00" for second in range(len(ITEM_REFUSED) + 1)]
    items = [
        {"request_no": f"K-{place:02}", "voucher": code, "used_at": used_at}
        for place, used_at in enumerate(moments)
    ]
    return {f"queue:{item['request_no']}": {"item": item, "sent": False} for item in items}


def uploaded(body: dict[str, Any]) -> dict[str, Any]:
    """An upload's answer with every outcome that is not a write-off, one for each item."""
    outcomes = [("conflict", "already_redeemed"), *(("refused", reason) for reason in ITEM_REFUSED)]
    results = [
        {"request_no": item["request_no"], "outcome": outcome, "reason": reason, "redemption_id": None}
        for item, (outcome, reason) in zip(body["items"], outcomes, strict=True)
    ]
    return {"batch_no": body["batch_no"], "results": results}


@dataclass(slots=True)
class Row:
    """Runs one row of a table after the other, on a tablet and on a phone; whichever it was before, first."""

    shop: Shop
    small: bool = False
    leave: str = ""

    async def told(self, job: Job, *, leave: str = "#next") -> dict[str, Any]:
        row = {"route": job.route, "fill": job.fill, "press": job.press, "leave": self.leave}
        shown: dict[str, Any] = await self.shop.tab.evaluate(f"window.told({json.dumps(row)})")
        self.small, self.leave = not self.small, leave
        size = {**(PHONE if self.small else TABLET), "deviceScaleFactor": 1, "mobile": self.small}
        await (await self.shop.tab.protocol()).send("Emulation.setDeviceMetricsOverride", size)
        shown["wide"] += await self.shop.tab.evaluate("window.wide()")
        return shown

    async def refused(self, job: Job, refusal: Refusal) -> list[str]:
        self.shop.wire.refusals = {job.asks: refusal}
        shown = await self.told(job, leave=job.leave if refusal.code in job.unknown else "#next")
        # How it is left is for the platform itself to answer; what waits would go out by itself.
        if job.name != "upload":
            self.shop.wire.refusals = {}
        return wrong(job, refusal, shown)
