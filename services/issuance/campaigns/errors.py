from shared.errors import Refusal


class SlugTaken(Refusal):
    code = "slug_taken"
    zh = "已有使用该代码的活动，请换一个代码。"
    en = "There is a campaign with this slug already; please choose another one."
