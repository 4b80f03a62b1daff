"""The one-time code that shows that a phone is its owner's. Pure."""

from datetime import timedelta
from typing import Literal

CODE_DIGITS = 6
VALID_FOR = timedelta(minutes=5)
# With the sends below: some 25 guesses a day at a million codes.
TRIES_MAX = 5
# The same question again within this time is a lost answer or an impatient tap: one code serves it.
AGAIN_AFTER = timedelta(minutes=1)
# Somebody who mistypes a number, then waits for a slow network. Per phone too: many people flood nobody.
SENDS_PER_PERSON_AND_DAY = 5
SENDS_PER_PHONE_AND_DAY = 5

KIND = "phone_code"
_TEXTS = {
    "zh": "验证码 {code}，5 分钟内有效，用于接收全民健康消费券通知。如非本人操作，请忽略。",
    "en": "Your code is {code}, good for 5 minutes, to receive notices of Health Vouchers. "
    "If you did not ask for it, ignore it.",
}


def code_of(digest: bytes) -> str:
    """Six digits out of a keyed hash: whoever reads the database cannot tell them without the key."""
    return f"{int.from_bytes(digest[:16], 'big') % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def message_text(code: str, language: Literal["zh", "en"]) -> str:
    return _TEXTS[language].format(code=code)
