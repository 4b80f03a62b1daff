"""What a version of a question can be. Pure."""

from typing import Literal

# Asked; out of use until somebody puts it back; or followed by a newer version, for good.
State = Literal["active", "retired", "replaced"]
