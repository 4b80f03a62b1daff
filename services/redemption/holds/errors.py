from shared.errors import Refusal


class HoldReleased(Refusal):
    code = "hold_released"
    zh = "该暂缓结算已解除。"
    en = "This hold was released already."
