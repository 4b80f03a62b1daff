"""When a notice travels, and whether it travels again."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from services.issuance.notices.rules import Kind

Channel = Literal["wechat", "sms"]
State = Literal["waiting", "trying", "deferred", "sent", "refused", "unknown", "skipped"]

# By night nobody's telephone rings, in the campaign's time zone. WeChat messages make no sound.
QUIET_FROM, QUIET_UNTIL = time(22), time(8)
# WeChat counts its day in China; a few minutes later it surely has begun.
_NEXT_DAY = time(0, 5)
_CHINA = ZoneInfo("Asia/Shanghai")

# Nobody knows whether the first attempt arrived, and WeChat has no key that would tell it a repetition. What
# warns of a loss is sent again: twice is better than never. What tells of something that has happened is not:
# "your voucher was used", twice, would look like two uses. The inbox has all of them anyway.
_REPEATED: frozenset[Kind] = frozenset({"revoked", "expiring", "award_won", "award_expiring"})


def quiet_until(moment: datetime, timezone: str) -> datetime | None:
    """When the night is over that this moment lies in; None by day."""
    local = moment.astimezone(ZoneInfo(timezone))
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return None
    day = local.date() if local.time() < QUIET_UNTIL else local.date() + timedelta(days=1)
    return datetime.combine(day, QUIET_UNTIL, tzinfo=ZoneInfo(timezone))


def later(moment: datetime, after_seconds: int | None) -> datetime:
    """When a provider may be asked again that said `not now`; None means when its day begins anew."""
    if after_seconds is not None:
        return moment + timedelta(seconds=after_seconds)
    tomorrow = moment.astimezone(_CHINA).date() + timedelta(days=1)
    return datetime.combine(tomorrow, _NEXT_DAY, tzinfo=_CHINA)


@dataclass(frozen=True, slots=True)
class Situation:
    """A delivery before an attempt. `unclear`: an earlier attempt whose outcome nobody knows."""

    channel: Channel
    kind: Kind
    unclear: bool
    still_holds: bool
    until: datetime | None
    timezone: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Try it now, or end it as `state`, or put it off until `not_before`."""

    state: State
    reason: str | None = None
    not_before: datetime | None = None


def judged(situation: Situation, now: datetime) -> Verdict:
    """What to do with a delivery whose turn has come."""
    if situation.unclear and not repeated(situation.channel, situation.kind):
        return Verdict("unknown", "no_answer")
    over = situation.until is not None and situation.until <= now
    if situation.kind in {"expiring", "award_won", "award_expiring"} and (over or not situation.still_holds):
        return Verdict("skipped", "no_longer_true")
    night = quiet_until(now, situation.timezone) if situation.channel == "sms" else None
    if night is not None:
        return Verdict("deferred", "night", night)
    return Verdict("trying")


def repeated(channel: Channel, kind: Kind) -> bool:
    """Whether it is sent again when nobody knows what became of it. An SMS gateway knows repetitions."""
    return channel == "sms" or kind in _REPEATED
