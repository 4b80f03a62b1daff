from shared.errors import Refusal


class DrawLogNotPublished(Refusal):
    code = "draw_log_not_published"
    status = 404
    zh = "本期抽奖记录将在本期结束后公布。"
    en = "The draws of this phase are published after it has closed."
