from shared.errors import Refusal


class AwardOnHold(Refusal):
    """Neutral: says neither what was noticed nor how long it takes. The award does not expire meanwhile."""

    code = "award_on_hold"
    zh = "领取资格正在核实，请耐心等待，核实期间不计入领取期限。"
    en = "Whether this award can be claimed is being checked; that time is not taken off your deadline."


class AwardWithdrawn(Refusal):
    code = "award_withdrawn"
    zh = "经核实，该奖项不能领取。如有疑问，请联系活动主办方。"
    en = "This award was checked and cannot be claimed; please contact the organiser if you have questions."


class HoldAlreadyDecided(Refusal):
    code = "hold_already_decided"
    zh = "该待核实奖项已有处理结果。"
    en = "This held award was decided already."
