from shared.errors import Refusal


class CaseDecided(Refusal):
    code = "case_decided"
    zh = "该案件已有处理结论；已确认的案件须经审批撤回。"
    en = "This case was decided already; a confirmed one is taken back by a change."


class CaseNotConfirmed(Refusal):
    code = "case_not_confirmed"
    zh = "该案件未被确认，没有可以撤回的结论。"
    en = "This case is not confirmed: there is nothing to take back."
