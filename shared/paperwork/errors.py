from shared.errors import Refusal


class TemplateNotKept(Refusal):
    code = "template_not_kept"
    zh = "所用模板的文件已丢失，请重新上传模板，或恢复为默认模板。"
    en = "The file of the template in use is lost; upload it again, or go back to the default one."
