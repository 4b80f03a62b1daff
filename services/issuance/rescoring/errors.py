from shared.errors import Refusal


class NotEnoughData(Refusal):
    code = "not_enough_data"
    zh = "还没有足够的答题数据用于测算。"
    en = "There are not enough answers yet to compute this from."


class NoQuestionsLeft(Refusal):
    code = "no_questions_left"
    zh = "停用这些题目后，题库已没有可用的题目。"
    en = "Without these questions the bank has none left to ask."
