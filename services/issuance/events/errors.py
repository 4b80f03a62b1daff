from shared.errors import Refusal


class CheckInCodeUnknown(Refusal):
    """One answer for every code that is not this campaign's and channel's: a guess learns nothing."""

    code = "check_in_code_unknown"
    status = 404
    zh = "签到码不正确，请核对后重试。"
    en = "This check-in code is not known; please check it and try again."


class CheckInCodeExpired(Refusal):
    code = "check_in_code_expired"
    zh = "签到码已更新，请扫描现场最新的签到码。"
    en = "The check-in code has changed meanwhile; please scan the one shown now."


class AlreadyCheckedIn(Refusal):
    code = "already_checked_in"
    zh = "您已在本次活动签到，无需重复签到。"
    en = "You have checked in at this event already."


class EventNotOpen(Refusal):
    code = "event_not_open"
    zh = "本次活动现在不能签到，请在活动时间内签到。"
    en = "Check-in at this event is not open now; please check in while it takes place."


class EventFull(Refusal):
    code = "event_full"
    zh = "本次活动签到名额已满。"
    en = "All places of this event are taken."
