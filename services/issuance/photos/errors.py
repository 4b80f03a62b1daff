from shared.errors import Refusal


class TooManyPhotos(Refusal):
    code = "too_many_photos"
    zh = "您有较多照片尚未使用，请先提交线索后再上传。"
    en = "You have many photos that no report uses yet; please submit your report first."
