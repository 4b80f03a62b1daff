from shared.errors import Refusal


class TerminalNotActive(Refusal):
    code = "terminal_not_active"
    zh = "该终端尚未激活或已停用，不能进行此操作。"
    en = "This terminal is not activated yet, or was revoked."
