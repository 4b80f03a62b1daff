from shared.errors import Refusal


class OpeningPassed(Refusal):
    code = "opening_passed"
    zh = "该期的开始时间已过。"
    en = "This phase would have begun already."


class PhasesOverlap(Refusal):
    code = "phases_overlap"
    zh = "该期的开始时间早于上一期的结束时间。"
    en = "This phase would begin before the last one has ended."


class PhaseNotClosed(Refusal):
    code = "phase_not_closed"
    zh = "该期尚未结束，不能结转。"
    en = "This phase is not over yet; nothing can be carried over from it."


class NothingToCarryOver(Refusal):
    code = "nothing_to_carry_over"
    zh = "没有可结转的库存。"
    en = "There is nothing left to carry over."
