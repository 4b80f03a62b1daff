from shared.errors import Refusal


class ParticipationExcluded(Refusal):
    """Behind the sentence stands whom to ask; never which list, or why."""

    code = "participation_excluded"
    status = 403
    zh = "您不能参加本次活动。"
    en = "You cannot take part in this campaign."


class AlreadyExcluded(Refusal):
    code = "already_excluded"
    zh = "该人员已在此名单中；需要更改时，请先移出再重新列入。"
    en = "That person is on this list already; to change the entry, lift it and add it anew."


class ExclusionAlreadyLifted(Refusal):
    code = "exclusion_already_lifted"
    zh = "该名单记录已移出。"
    en = "That entry was lifted already."
