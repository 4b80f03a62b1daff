from shared.errors import Refusal


class DeadLetterNeeded(Refusal):
    code = "dead_letter_needed"
    zh = "这类事项不能搁置，否则数据会不完整；请排除故障后重试。"
    en = "This kind cannot be put aside: something would stay undone for good. Mend the cause and try again."
