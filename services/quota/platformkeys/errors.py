from shared.errors import Refusal


class AlreadyRevoked(Refusal):
    code = "already_revoked"
    zh = "该密钥已停用。"
    en = "This key was revoked already."
