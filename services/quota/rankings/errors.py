from shared.errors import Refusal


class MonthNotOver(Refusal):
    code = "month_not_over"
    zh = "该月尚未结束，不能冻结排名。"
    en = "The month is not over yet; its ranking cannot be frozen."
