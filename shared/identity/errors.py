from shared.errors import Refusal


class ConsentWithdrawn(Refusal):
    """What was begun or won before can still be finished: an open attempt, an award, a voucher."""

    code = "consent_withdrawn"
    zh = "您已撤回授权同意，重新同意后方可继续参与。"
    en = "You have withdrawn your consent; to take part again, give it again first."


class IdNumberInvalid(Refusal):
    """`errors[0].code` says what is wrong: length, characters, date or check_digit."""

    code = "id_number_invalid"
    status = 422
    zh = "身份证号码有误，请核对后重新填写。"
    en = "The id number is not valid; please check it and enter it again."
