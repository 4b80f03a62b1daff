from shared.errors import Refusal


class SamePerson(Refusal):
    code = "same_person"
    status = 403
    zh = "不能审批自己提交的变更，请由另一位工作人员审批。"
    en = "A change must be approved by somebody other than its proposer."


class AlreadyDecided(Refusal):
    code = "already_decided"
    zh = "该变更已有审批结论。"
    en = "This change was decided already."
