"""Whether a share is genuine, as another system tells it: the port, and its adapter over HTTP.

A platform that can see what was followed, registered or forwarded answers POST with
{"verdict": "genuine" | "not_genuine" | "unsure" | "later", "reason": "…"}. It is asked from a job, with the
job's id as `Idempotency-Key`: the same question may come again.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

import httpx
from pydantic import BaseModel, Field, ValidationError

from shared.settings import Settings

# Nobody waits for it: a job asks, and asks again later.
_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
REASON_MAX = 500


@dataclass(frozen=True, slots=True)
class Share:
    """`kind`: forwarded, followed or registered."""

    campaign: str
    kind: str
    url: str
    text: str


class Finding(BaseModel):
    """`later`: it cannot be seen yet, and the same question may be asked again."""

    verdict: Literal["genuine", "not_genuine", "unsure", "later"]
    reason: Annotated[str, Field(max_length=REASON_MAX)] | None = None


class VerifierFailed(Exception):
    """The verifier gave no answer that means anything; it is asked again later."""


class ShareVerifier(Protocol):
    async def verify(self, share: Share, *, question_id: str) -> Finding:
        """Raises VerifierFailed."""
        ...


class HttpShareVerifier:
    def __init__(self, url: str, token: str | None) -> None:
        self._url = url
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    async def verify(self, share: Share, *, question_id: str) -> Finding:
        """Raises VerifierFailed. Says only what kind of failure it was: addresses may hold secrets."""
        question = {"campaign": share.campaign, "kind": share.kind, "url": share.url, "text": share.text}
        headers = {**self._headers, "Idempotency-Key": question_id}
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False) as client:
                response = await client.post(self._url, json=question, headers=headers)
            return Finding.model_validate_json(response.raise_for_status().content)
        except (httpx.HTTPError, ValidationError) as error:
            raise VerifierFailed(type(error).__name__) from None


def share_verifier_of(settings: Settings) -> ShareVerifier | None:
    """None when none is set up: then staff review, where the campaign wants it."""
    if settings.share_verifier_url is None:
        return None
    token = settings.share_verifier_token
    return HttpShareVerifier(settings.share_verifier_url, None if token is None else token.get_secret_value())
