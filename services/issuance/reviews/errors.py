from shared.errors import Refusal


class ActivityAlreadyDecided(Refusal):
    code = "already_decided"
    zh = "该记录已有审核结论。"
    en = "This activity was decided already."
