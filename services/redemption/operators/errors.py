from shared.errors import Refusal


class OperatorUnknown(Refusal):
    code = "operator_unknown"
    zh = "该操作员不在本终端的操作员名单中。"
    en = "This terminal has a list of operators, and this one is not on it."


class OperatorRequired(Refusal):
    code = "operator_required"
    zh = "本机构要求填写操作员编号，请选择操作员后再核销。"
    en = "This institution requires an operator for each write-off; please choose one."


class OperatorCodeTaken(Refusal):
    code = "operator_code_taken"
    zh = "本机构已有该操作员编号，编号不能重复使用。"
    en = "The institution has given that code to an operator already."


class OperatorEnded(Refusal):
    code = "operator_ended"
    zh = "该操作员已停用。"
    en = "This operator was ended already."
