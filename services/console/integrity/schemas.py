"""The integrity check over the wire."""

from pydantic import BaseModel

from shared.clock import rfc3339
from shared.integrity import Figure, Report


class IntegrityCheck(BaseModel):
    name: str
    ok: bool
    expected: Figure
    actual: Figure
    detail: str | None


class IntegrityReply(BaseModel):
    as_of: str
    ok: bool
    checks: list[IntegrityCheck]


def integrity_reply(report: Report) -> IntegrityReply:
    return IntegrityReply(
        as_of=rfc3339(report.as_of),
        ok=report.ok,
        checks=[
            IntegrityCheck(
                name=check.name,
                ok=check.ok,
                expected=check.expected,
                actual=check.actual,
                detail=check.detail,
            )
            for check in report.checks
        ],
    )
