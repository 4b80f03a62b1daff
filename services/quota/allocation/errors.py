from shared.errors import Refusal


class NoAllocation(Refusal):
    code = "no_allocation"
    status = 404
    zh = "该任务还没有生效的任务分配。"
    en = "The programme has no allocation in force yet."


class NoVisits(Refusal):
    code = "no_visits"
    zh = "所有医院的诊疗人次（或所选分配依据的数值）都是零，无法按占比分配。"
    en = "All hospitals have zero visits, or zero of the chosen basis: there are no shares to allocate by."


class QuotaNegative(Refusal):
    code = "quota_negative"
    zh = "调整后任务数为负："
    en = "An adjustment makes a quota negative:"


class MonthFrozen(Refusal):
    code = "month_frozen"
    zh = "生效月份已冻结公布，请从其后的月份起生效。已冻结至："
    en = "The effective month is frozen and published; let the quotas take effect later. Frozen through:"
