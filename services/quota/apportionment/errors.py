from shared.errors import Refusal


class MinimumsAboveTotal(Refusal):
    code = "minimums_above_total"
    zh = "各医院下限合计超过总数，请调低下限或提高总数："
    en = "The hospitals' minimums add up to more than the total; lower them or raise the total:"


class MaximumsBelowTotal(Refusal):
    code = "maximums_below_total"
    zh = "各医院上限合计不足总数，余下的任务没有医院可以承担，请调高上限或减少总数："
    en = "The hospitals' maximums add up to less than the total, so that some cards have nowhere to go:"
