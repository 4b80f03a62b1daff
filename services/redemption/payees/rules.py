"""What an institution's bank account looks like to those who need not know it. Pure."""

import json
import unicodedata
from dataclasses import asdict, dataclass

from shared.documents.cells import evaluates

_SHOWN_DIGITS = 4
_NAME_SHOWN = 2
_SEPARATORS = str.maketrans("", "", " -")


@dataclass(frozen=True, slots=True)
class Details:
    """A bank account in clear."""

    account_name: str
    bank_name: str
    account_number: str

    def sealed_form(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @property
    def payable(self) -> bool:
        """Whether a bank's file can say it exactly: a name that looks like a formula would be altered."""
        return not (evaluates(self.account_name) or evaluates(self.bank_name))

    def masked(self) -> "Details":
        """Enough to be told from another account, not enough to be paid to."""
        return Details(
            account_name=_masked_text(self.account_name),
            bank_name=_masked_text(self.bank_name),
            account_number=masked_number(self.account_number),
        )


def details_of(sealed_form: str) -> Details:
    return Details(**json.loads(sealed_form))


def sealing_context(account_id: object) -> str:
    return f"payee_account/{account_id}/details"


def plain_number(text: str) -> str:
    """The digits as a bank wants them: half-width, without the blanks and dashes that people type."""
    return unicodedata.normalize("NFKC", text).translate(_SEPARATORS)


def masked_number(number: str) -> str:
    """The last four digits; how many others there are is not told."""
    return f"****{number[-_SHOWN_DIGITS:]}"


def _masked_text(text: str) -> str:
    """The first two and the last two characters; of a short text the first only."""
    if len(text) <= 2 * _NAME_SHOWN:
        return f"{text[:1]}**"
    return f"{text[:_NAME_SHOWN]}**{text[-_NAME_SHOWN:]}"
