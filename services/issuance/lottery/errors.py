from shared.errors import Refusal


class IdentityRequired(Refusal):
    code = "identity_required"
    status = 403
    zh = "抽奖前请先完成实名认证。"
    en = "Please verify your identity before you draw."


class NoChance(Refusal):
    code = "no_chance"
    zh = "您现在没有抽奖机会，参加活动可以获得。"
    en = "You have no chance to draw at the moment; take part to earn one."


class LimitReached(Refusal):
    code = "limit_reached"
    zh = "您已达到活动规定的次数上限。"
    en = "You have reached the limit that the campaign sets for each person."


class AwardsExhausted(Refusal):
    """The chance is kept: more stock, an expired award or the next phase may give it worth again."""

    code = "awards_exhausted"
    zh = "本期奖券已发完，您的抽奖机会为您保留。"
    en = "Everything in this phase has been awarded; your chance is kept."
