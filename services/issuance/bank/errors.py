from shared.errors import Refusal


class QuestionReplaced(Refusal):
    code = "question_replaced"
    zh = "该题目已有新版本，请在最新版本上操作。"
    en = "There is a newer version of this question; please work on that one."


class QuestionExists(Refusal):
    code = "question_exists"
    zh = "题库中已有相同的题目。"
    en = "The bank already has this question."


class ExportTooLarge(Refusal):
    code = "export_too_large"
    zh = "题目过多，无法导出为 Excel，请导出 CSV 文件或缩小范围。"
    en = "Too many questions for a workbook; export them as CSV, or fewer of them."
