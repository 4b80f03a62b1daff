"""Words of appeals. Pure."""

from typing import Literal

AppealStatus = Literal["open", "upheld", "rejected"]
