from shared.errors import Refusal


class EarlierMonthOpen(Refusal):
    code = "earlier_month_open"
    zh = "请按月份顺序冻结，尚未冻结的最早月份为："
    en = "Months are frozen in their order; the first one that is still open:"
