from shared.errors import Refusal


class BasisIncomplete(Refusal):
    code = "basis_incomplete"
    zh = "该分配依据缺少以下医院的数值，请先补充导入："
    en = "The basis has no figure for these hospitals yet; import them first:"
