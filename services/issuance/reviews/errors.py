from shared.errors import Refusal


class ActivityClaimed(Refusal):
    code = "activity_claimed"
    zh = "该记录正由其他审核人员处理。"
    en = "Another reviewer has this in hand."


class ActivityAlreadyDecided(Refusal):
    code = "already_decided"
    zh = "该记录已有审核结论。"
    en = "This activity was decided already."
