from shared.errors import Refusal


class LimitReached(Refusal):
    code = "limit_reached"
    zh = "您今天通过这种方式参与的次数已达上限，请明天再来。"
    en = "You have taken part this way as often as one day allows; please come back tomorrow."
