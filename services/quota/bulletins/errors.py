from shared.errors import Refusal


class NobodyToRemind(Refusal):
    code = "nobody_to_remind"
    status = 404
    zh = "该月没有需要提醒的医疗机构。"
    en = "No hospital is to be reminded for this month."


class TooManyLetters(Refusal):
    code = "too_many_letters"
    zh = "一次最多生成 100 份提醒函，请按医疗机构逐份下载。"
    en = "At most 100 letters are made at once; get them hospital by hospital."
