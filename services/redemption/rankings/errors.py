from shared.errors import Refusal


class NobodyRanked(Refusal):
    code = "nobody_ranked"
    zh = "该活动还没有服务机构，没有可以冻结的排名。"
    en = "This campaign has no institutions yet; there is no ranking to freeze."
