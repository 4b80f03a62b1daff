"""A report as it is kept between recomputations."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.integrity import Outcome, Report

# A call for the report asks for a new one when the kept one is older.
FRESH_FOR = timedelta(minutes=10)
# Nobody has to look for a kept one to be renewed; so a page, which shows one of the last hour, never waits.
RENEWED_AFTER = timedelta(minutes=30)
KEPT_FOR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """A report, when it was finished by the machine's clock, and how many seconds it took."""

    report: Report
    finished_at: datetime
    seconds: float

    def is_fresh(self, now: datetime, *, within: timedelta) -> bool:
        return now - self.finished_at < within


def to_json(kept: Kept) -> dict[str, Any]:
    return {
        "as_of": kept.report.as_of.isoformat(),
        "finished_at": kept.finished_at.isoformat(),
        "seconds": kept.seconds,
        "checks": [asdict(check) for check in kept.report.checks],
    }


def from_json(told: dict[str, Any]) -> Kept:
    checks = tuple(Outcome(**check) for check in told["checks"])
    report = Report(as_of=datetime.fromisoformat(told["as_of"]), checks=checks)
    return Kept(report, datetime.fromisoformat(told["finished_at"]), float(told["seconds"]))
