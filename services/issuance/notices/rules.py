"""What a notice says, and when a reminder is due. No code of a voucher, and nobody's name, is ever in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

Kind = Literal[
    "issued",
    "redeemed",
    "restored",
    "revoked",
    "expiring",
    "award_won",
    "award_expiring",
    "activity_accepted",
    "activity_rejected",
]
Language = Literal["zh", "en"]
KINDS: tuple[Kind, ...] = get_args(Kind)

_DAY = timedelta(days=1)

# Title and text; the words in braces are the values of `told`.
_ZH: dict[Kind, tuple[str, str]] = {
    "issued": ("消费券已到账", "您已领取“{name}”，请于{until}前使用。"),
    "redeemed": ("消费券已核销", "您的“{name}”已使用。如非本人使用，请联系活动主办方。"),
    "restored": ("消费券已退回", "“{name}”的使用已撤销，{until}前仍可使用。"),
    "revoked": ("消费券已作废", "您的“{name}”已被作废。原因：{note}"),
    "expiring": ("消费券即将到期", "您的“{name}”将于{until}到期，请尽快使用。"),
    "award_won": ("恭喜中奖", "您在“{campaign}”中奖，请于{until}前选择消费券，逾期视为放弃。"),
    "award_expiring": ("中奖即将过期", "您的中奖还未领取，请于{until}前选择消费券。"),
    "activity_accepted": ("参与已通过审核", "您在“{campaign}”提交的内容已通过审核，抽奖机会已到账。"),
    "activity_rejected": ("参与未通过审核", "您在“{campaign}”提交的内容未通过审核。原因：{note}"),
}
_EN: dict[Kind, tuple[str, str]] = {
    "issued": ("Voucher received", "You have a voucher “{name}”. Use it before {until}."),
    "redeemed": ("Voucher used", "Your voucher “{name}” was used. If it was not you, contact the organiser."),
    "restored": ("Voucher returned", "The use of “{name}” was undone. It is good until {until}."),
    "revoked": ("Voucher revoked", "Your voucher “{name}” was revoked. Reason: {note}"),
    "expiring": ("Voucher about to expire", "Your voucher “{name}” expires on {until}. Use it soon."),
    "award_won": ("You have won", "You won in “{campaign}”. Choose a voucher before {until}, or it is lost."),
    "award_expiring": (
        "Award about to expire",
        "You have not chosen your voucher yet. Do so before {until}.",
    ),
    "activity_accepted": (
        "Your entry was accepted",
        "What you sent to “{campaign}” was accepted, and you may draw.",
    ),
    "activity_rejected": (
        "Your entry was not accepted",
        "What you sent to “{campaign}” was not accepted. Reason: {note}",
    ),
}
_TEXTS = {"zh": _ZH, "en": _EN}
_NO_REASON = {"zh": "无", "en": "none"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a notice is about. `until`: the end of the voucher or award; `timezone` is the campaign's."""

    kind: Kind
    campaign: str
    timezone: str
    name: str | None
    until: datetime | None
    days: int
    note: str | None


def told(facts: Facts, language: Language) -> dict[str, str]:
    """Title and text of a notice, and the values that stand in them."""
    values = {
        "campaign": facts.campaign,
        "name": facts.name or "",
        "until": "" if facts.until is None else _moment(facts.until, facts.timezone, language),
        "days": str(facts.days),
        "note": facts.note or _NO_REASON[language],
    }
    title, text = _TEXTS[language][facts.kind]
    return {**values, "title": title, "text": text.format(**values)}


def _moment(moment: datetime, timezone: str, language: Language) -> str:
    local = moment.astimezone(ZoneInfo(timezone))
    if language == "en":
        return f"{local:%Y-%m-%d %H:%M}"
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


@dataclass(frozen=True, slots=True)
class Reminder:
    """Due when what is left of a voucher's time is at most `lead`, and more than `covered`.

    The next reminder covers what is left then: after a long pause a holder is told once, not of every
    reminder that was missed.
    """

    days: int
    covered: timedelta

    @property
    def lead(self) -> timedelta:
        return self.days * _DAY


def reminders(setting: str) -> tuple[Reminder, ...]:
    """From `7,1`: the longest first. `off` is none."""
    if setting == "off":
        return ()
    days = sorted({int(part) for part in setting.split(",")}, reverse=True)
    shorter: Sequence[int] = [*days[1:], 0]
    return tuple(Reminder(own, after * _DAY) for own, after in zip(days, shorter, strict=True))
