from shared.errors import Refusal


class CodeUnknown(Refusal):
    code = "code_unknown"
    status = 404
    zh = "没有识别出这个二维码，可能已破损。请扫描医院张贴的其他二维码，或向工作人员咨询。"
    en = (
        "This code is not known; it may be damaged. Please scan another one of the hospital or ask its staff."
    )
