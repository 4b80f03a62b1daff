from shared.errors import Refusal


class DefinitionUnreadable(Refusal):
    code = "definition_unreadable"
    status = 422
    zh = "无法读取活动定义文件。"
    en = "The campaign's definition cannot be read."
