from shared.errors import Refusal


class SmsNotOffered(Refusal):
    code = "sms_not_offered"
    zh = "本平台未开通短信通知。"
    en = "This platform sends no text messages."
