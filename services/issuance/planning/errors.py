from shared.errors import Refusal


class ParticipationUnknown(Refusal):
    code = "participation_unknown"
    zh = "还没有可供预测的参与数据，请填写预计每日答题人次（daily_attempts）。"
    en = "Nobody has taken part yet: enter the daily attempts that you expect (daily_attempts)."
