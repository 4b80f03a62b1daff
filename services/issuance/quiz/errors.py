"""What the quiz says no to. `phase_not_open` and `campaign_paused` are the draw's refusals too."""

from shared.errors import Refusal


class PhaseNotOpen(Refusal):
    code = "phase_not_open"
    zh = "活动现在不在开放时间内，请在开放时间再来。"
    en = "The campaign is not open at this time; please come back while a phase is open."


class CampaignPaused(Refusal):
    code = "campaign_paused"
    zh = "活动已暂停，请稍后再来。"
    en = "The campaign is paused; please come back later."


class QuizNotReady(Refusal):
    code = "quiz_not_ready"
    zh = "题库正在准备中，请稍后再来。"
    en = "The questions are not ready yet; please come back later."


class AttemptsExhausted(Refusal):
    code = "attempts_exhausted"
    zh = "您今天的答题次数已用完，请明天再来。"
    en = "You have used all of today's attempts; please come back tomorrow."


class AttemptExpired(Refusal):
    code = "attempt_expired"
    zh = "本次答题已超时，请重新开始答题。"
    en = "The time for this attempt is over; please start a new one."


class AttemptAlreadyAnswered(Refusal):
    code = "attempt_already_answered"
    zh = "本次答题已提交过，不能再次提交。"
    en = "This attempt was answered already."


class AttemptTokenInvalid(Refusal):
    code = "attempt_token_invalid"
    status = 403
    zh = "答题凭证无效，请返回后重新开始答题。"
    en = "The token of this attempt is not valid; please go back and start again."


class SubmittedTooSoon(Refusal):
    """Says neither how long to wait nor whether the answers were right; the attempt stays open."""

    code = "submitted_too_soon"
    zh = "提交过快，请认真读题后再提交。"
    en = "That was too quick; please read the questions and submit again."
