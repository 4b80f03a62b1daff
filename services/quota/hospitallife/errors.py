from shared.errors import Refusal


class DayFrozen(Refusal):
    code = "hospital_day_frozen"
    zh = "生效日所在月份已冻结，最早可自以下日期起生效："
    en = "The day lies in a frozen month; the earliest possible day is:"


class CodesHandedOnTooLate(Refusal):
    code = "codes_handed_on_too_late"
    zh = "移交二维码须自明日或以后生效，已计数的卡不再改动；请改日期，或不指定承接医院。"
    en = "Codes are handed on from tomorrow at the earliest: what was counted stays; choose a later day."


class HospitalEnded(Refusal):
    code = "hospital_ended"
    zh = "该院已关闭或并入其他医院（或已有获批的关闭、并入），不能再作此变更。"
    en = "The hospital has closed or merged (or will, by an approved change); this change does not fit it."


class SuccessorUnfit(Refusal):
    code = "successor_unfit"
    zh = "承接医院须在同一任务名单中，届时已启用且没有关闭或并入。"
    en = "The successor must be another hospital of the programme that is open then and does not end."


class NothingChanges(Refusal):
    code = "nothing_changes"
    zh = "该变更不改变任何内容，请核对日期和医共体。"
    en = "The change would change nothing; check its day and alliance."


class DaysOutOfOrder(Refusal):
    code = "days_out_of_order"
    zh = "启用日须早于关闭或并入日。"
    en = "A hospital opens before it closes or merges."


class LifeEventUnknown(Refusal):
    code = "hospital_event_unknown"
    status = 404
    zh = "该院没有这项变动，或已被撤销。"
    en = "The hospital has no such event, or it was withdrawn."


class LifeEventNeeded(Refusal):
    code = "hospital_event_needed"
    zh = "承接医院之后又有关闭或并入，请先撤销那一项。"
    en = "The successor has ended since; withdraw that event first."
