from shared.errors import Refusal


class PhaseClosed(Refusal):
    code = "phase_closed"
    zh = "该期已结束，不能再更改。"
    en = "This phase is over and cannot be changed any more."


class BudgetExceeded(Refusal):
    code = "budget_exceeded"
    zh = "各期库存金额将超过活动预算。"
    en = "The stock of all phases would be worth more than the campaign's budget."


class StockInUse(Refusal):
    code = "stock_in_use"
    zh = "库存不足以减少：剩余数量不够，或已为中奖待领者保留。"
    en = "That much stock cannot be taken out: it is not left, or open awards need it."
