from shared.errors import Refusal


class HospitalNameTaken(Refusal):
    code = "hospital_name_taken"
    zh = "该名称已属于名单中的一家医院："
    en = "A hospital of the list has this name already:"


class HospitalNameUnknown(Refusal):
    code = "hospital_name_unknown"
    status = 404
    zh = "该院没有这个别名或曾用名；现用名称请以更名替换。"
    en = "The hospital has no such alias or former name; its current name is replaced by renaming it."
