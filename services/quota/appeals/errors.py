from shared.errors import Refusal


class AppealOpen(Refusal):
    code = "appeal_open"
    zh = "该事件已有未答复的申诉。"
    en = "An appeal about this event waits for its answer."


class AppealAnswered(Refusal):
    code = "appeal_answered"
    zh = "该申诉已答复。"
    en = "This appeal was answered."
