from shared.errors import Refusal


class EventUnknown(Refusal):
    code = "event_unknown"
    status = 404
    zh = "没有收到过这个编号的发卡事件。"
    en = "No card event with this number was received."


class NotUnattributed(Refusal):
    code = "not_unattributed"
    zh = "该事件的卡已归属医院、已注销或未计数，不能再指定医院。"
    en = "The card of this event has a hospital already, was cancelled, or was not counted."
