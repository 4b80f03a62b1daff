from shared.errors import Refusal


class NotAwaiting(Refusal):
    code = "not_awaiting_approval"
    zh = "所列机构和券种中没有待审批的受理申请。"
    en = "Nothing of what is named waits for approval."
