from shared.errors import Refusal


class ProgrammeExists(Refusal):
    code = "slug_taken"
    zh = "已有使用该代码的发卡任务，请换一个代码。"
    en = "There is a programme with this slug already; please choose another one."


class NoHospitals(Refusal):
    code = "no_hospitals"
    zh = "该任务还没有医院名单，请先导入。"
    en = "The programme has no hospitals yet; import them first."
