from shared.errors import Refusal


class InstitutionClosed(Refusal):
    code = "institution_closed"
    zh = "该机构已退出，不能再修改。"
    en = "This institution is closed for good."
