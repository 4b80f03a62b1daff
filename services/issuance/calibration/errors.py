from shared.errors import Refusal


class CountedByAnother(Refusal):
    code = "counted_by_another"
    zh = "这个活动的答题数据已由后来的统计任务接着统计，请查看那个任务。"
    en = "A later job goes on with this campaign's statistics; please look at that one."
