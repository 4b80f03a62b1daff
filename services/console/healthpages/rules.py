"""What the health of the system is judged by. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

# Above this the machine's clock and the database's disagree so that limits of days and ends are not safe.
SKEW_SECONDS_MAX = 1.0
NAMES: Mapping[str, tuple[str, str]] = {
    "issuance": ("发放服务", "issuance"),
    "redemption": ("核销服务", "redemption"),
    "quota": ("发卡任务服务", "quota"),
    "console": ("管理台服务", "console"),
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """`why` is the service's own sentence when it is not ready."""

    service: str
    ready: bool
    why: str


@dataclass(frozen=True, slots=True)
class Clocks:
    machine: datetime
    database: datetime
    platform: datetime

    @property
    def skew_seconds(self) -> float:
        return round((self.machine - self.database).total_seconds(), 3)

    @property
    def agree(self) -> bool:
        return abs(self.skew_seconds) <= SKEW_SECONDS_MAX
