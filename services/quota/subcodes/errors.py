from shared.errors import Refusal


class SubCodeLabelTaken(Refusal):
    code = "sub_code_label_taken"
    zh = "该医院已有同名的在用子码，请换一个名称。"
    en = "The hospital has a sub-code of this name in use already; please choose another name."


class SubCodesFull(Refusal):
    code = "sub_codes_full"
    zh = "该医院的在用子码已达上限，请先停用不再需要的子码。"
    en = "The hospital has as many sub-codes in use as it may; please retire some first."
