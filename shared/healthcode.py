"""Results of directed services for the health-code platform: the port, and its adapter over HTTP.

The platform takes POST with the result and answers {"status": "accepted"}; the result's id goes along as
`Idempotency-Key`, because the same result may come again: a job's answer may get lost.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import httpx
from pydantic import BaseModel, ValidationError

from shared.settings import Settings

# Nobody waits for it: a job carries it, and carries it again later.
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)


@dataclass(frozen=True, slots=True)
class ReportedResult:
    """A result and whom it is about; `performed_at` is RFC 3339."""

    id: str
    kind: str
    report_no: str
    result: str
    performed_at: str
    holder_name: str
    holder_id_number: str
    institution: str


class HealthCodeFailed(Exception):
    """The platform did not say that it has the result; it is told again later."""


class HealthCode(Protocol):
    async def report(self, result: ReportedResult) -> None:
        """Raises HealthCodeFailed."""
        ...


class _Taken(BaseModel):
    status: Literal["accepted"]


class HttpHealthCode:
    def __init__(self, url: str, key: str | None) -> None:
        self._url = url
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}

    async def report(self, result: ReportedResult) -> None:
        """Raises HealthCodeFailed. Says only what kind of failure it was: the text may hold what was sent."""
        told = {
            "result_id": result.id,
            "kind": result.kind,
            "report_no": result.report_no,
            "result": result.result,
            "performed_at": result.performed_at,
            "holder": {"name": result.holder_name, "id_number": result.holder_id_number},
            "institution": result.institution,
        }
        headers = {**self._headers, "Idempotency-Key": result.id}
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False) as client:
                response = await client.post(self._url, json=told, headers=headers)
            if not response.is_success:
                raise HealthCodeFailed(f"http_{response.status_code}")
            _Taken.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise HealthCodeFailed(type(error).__name__) from None


def health_code_of(settings: Settings) -> HealthCode | None:
    """None when none is set up: then results wait, and are carried once it is."""
    if settings.health_code_url is None:
        return None
    key = settings.health_code_key
    return HttpHealthCode(settings.health_code_url, None if key is None else key.get_secret_value())
