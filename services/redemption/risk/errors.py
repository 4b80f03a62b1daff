from shared.errors import Refusal


class CaseDecided(Refusal):
    code = "already_decided"
    zh = "该案件已有处理结论。"
    en = "This case was decided already."


class NothingToHold(Refusal):
    code = "nothing_to_hold"
    zh = "该案件没有可暂缓结算的核销：均已结算、已冲正，或案件不涉及本机构的核销。"
    en = "This case has no write-off that can be held: all are settled or reversed, or it is about none."


class NoHolds(Refusal):
    code = "no_open_holds"
    zh = "该案件没有尚未解除的暂缓结算。"
    en = "This case has no holds that are still open."


class CaseOpen(Refusal):
    code = "case_open"
    zh = "该案件尚未处理，无需重新打开。"
    en = "This case is open: there is no decision to take back."
