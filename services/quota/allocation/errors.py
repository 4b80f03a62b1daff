from shared.errors import Refusal


class NoAllocation(Refusal):
    code = "no_allocation"
    status = 404
    zh = "该任务还没有生效的任务分配。"
    en = "The programme has no allocation in force yet."


class NoVisits(Refusal):
    code = "no_visits"
    zh = "所有医院的诊疗人次都是零，无法按占比分配。"
    en = "All hospitals have zero visits, so that there are no shares to allocate by."


class QuotaNegative(Refusal):
    code = "quota_negative"
    zh = "调整后任务数为负："
    en = "An adjustment makes a quota negative:"
