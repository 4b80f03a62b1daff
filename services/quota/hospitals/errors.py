from shared.errors import Refusal


class MaybeKnown(Refusal):
    code = "maybe_known"
    zh = "名单中已有名称相近的医院，请确认是其中一家（添加别名），或确认是新医院："
    en = (
        "There are hospitals with a name near to this one; add an alias to one of them, or confirm a new one:"
    )
