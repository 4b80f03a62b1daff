from shared.errors import Refusal


class ContractPriceTooHigh(Refusal):
    code = "contract_price_too_high"
    zh = "协议价不能高于活动的结算价。"
    en = "A contract price cannot be above the campaign's settlement price."


class ContractPriceNotDirected(Refusal):
    code = "contract_price_not_directed"
    zh = "只有定向券可以约定协议价。"
    en = "Only directed vouchers have a contract price."


class ContractPriceTooSoon(Refusal):
    code = "contract_price_too_soon"
    zh = "协议价的生效日期须晚于今天。"
    en = "A contract price begins on a later day than today."
