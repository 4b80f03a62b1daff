"""Words of cases. Pure."""

from typing import Literal

CaseStatus = Literal["open", "watching", "dismissed", "confirmed"]
# What staff decide at once; confirming and taking back change figures, and so take two.
Decision = Literal["watching", "dismissed"]

# Later findings renew a case until somebody has decided.
UNDECIDED: tuple[CaseStatus, ...] = ("open", "watching")
