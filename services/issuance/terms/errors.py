from shared.errors import Refusal


class TotalCapExceeded(Refusal):
    code = "total_cap_exceeded"
    zh = "各期库存合计将超过该券种的总量上限。"
    en = "All phases together would have more of this voucher type than its total cap."


class BudgetInUse(Refusal):
    code = "budget_in_use"
    zh = "预算不能低于已安排库存与已发消费券的金额。"
    en = "The budget cannot be less than what its stock and its vouchers are worth."


class NothingChanges(Refusal):
    code = "nothing_changes"
    zh = "与现行规定相同，无需变更。"
    en = "This is what is in force already."
