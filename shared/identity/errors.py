from shared.errors import Refusal


class ConsentWithdrawn(Refusal):
    """What was begun or won before can still be finished: an open attempt, an award, a voucher."""

    code = "consent_withdrawn"
    zh = "您已撤回授权同意，重新同意后方可继续参与。"
    en = "You have withdrawn your consent; to take part again, give it again first."
