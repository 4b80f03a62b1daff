"""The integrity check: every invariant of the platform, recomputed from the rows.

A check is a file in checks/: one SELECT that answers one row (ok, expected, actual, detail). Its first
line names it (`-- name: …`), the second says it in Chinese (`-- zh: …`), the comment below says why it
must hold. It may use :now (the platform's clock), :machine_now (for leases), and :phase_ids with :seeds
(the opened seeds of phases that were drawn in, pairwise). All checks see one snapshot, so that they can
be compared, and none writes anything.
"""

from dataclasses import dataclass
from datetime import datetime

Figure = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Outcome:
    name: str
    ok: bool
    expected: Figure
    actual: Figure
    detail: str | None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    as_of: datetime
    checks: tuple[Outcome, ...]

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)
