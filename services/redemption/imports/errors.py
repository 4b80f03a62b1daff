from shared.errors import Refusal


class ImportAlreadyUndone(Refusal):
    code = "import_already_undone"
    zh = "该批导入已撤销。"
    en = "This import was undone already."
