"""A till's side of the redemption service, for POS vendors who write Python.

It signs, sends again what got no answer (signed afresh, under the same request number) and asks what
became of it. Money is safe whatever happens on the line: a request number is written off once, and what
stays unknown is asked for (`find`) or undone (`reverse`) by that number.
"""

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import httpx
import msgspec

from shared.clients.answers import (
    Activated,
    CheckedIn,
    DayClose,
    DayLine,
    Lookup,
    OfflineItem,
    OfflineResult,
    Redemption,
    Reversal,
    Roster,
    Totals,
    Upload,
    Verification,
)
from shared.clients.integrity import Refused, Untrustworthy, believed, moment_of, problem_of, same
from shared.clock import machine_now
from shared.signing import authorization

PREFIX = "/redemption/v1"
ATTEMPTS_MAX = 5
PAUSE_SECONDS = 0.2
# Overload and faults of ours: nothing is known, so the same number is sent again.
_AGAIN_LATER = frozenset({429, 500, 502, 503, 504})
# Our own earlier try arrived after all (or a proxy sent it twice): the number is asked for again.
_REPLAYED = "replayed"
_LOCKED = "too_many_wrong_codes"
_CLOCK_SKEW = "clock_skew"
_REQUEST_UNKNOWN = "request_unknown"

__all__ = [
    "DayClose",
    "DayLine",
    "Lookup",
    "OfflineItem",
    "OfflineResult",
    "OutcomeUnknown",
    "Redemption",
    "Refused",
    "Reversal",
    "Roster",
    "TerminalClient",
    "Totals",
    "Untrustworthy",
    "Upload",
    "Verification",
    "new_request_no",
]

AnswerT = TypeVar("AnswerT")


class OutcomeUnknown(Exception):
    """No answer after several tries: ask with `find(request_no)`, or undo with `reverse(request_no, …)`."""

    def __init__(self, request_no: str | None) -> None:
        self.request_no = request_no
        super().__init__(f"no answer for request {request_no}")


def new_request_no() -> str:
    """A number that no terminal of the institution has used: store it before it is sent."""
    return secrets.token_hex(12)


class TerminalClient:
    """One till. `http` has the service's address as its base URL; `terminal_key` changes at check-in.

    `offset` is how far the service's clock is ahead of the till's, learned when the service says so.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        terminal_id: str,
        terminal_key: str,
        institution_id: str,
        now: Callable[[], datetime] = machine_now,
        attempts_max: int = ATTEMPTS_MAX,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self.terminal_id = terminal_id
        self.terminal_key = terminal_key
        self.institution_id = institution_id
        self.offset = timedelta(0)
        self._http = http
        self._now = now
        self._attempts_max = attempts_max
        self._pause_seconds = pause_seconds

    @classmethod
    async def activate(
        cls,
        http: httpx.AsyncClient,
        activation_code: str,
        device_id: str,
        *,
        now: Callable[[], datetime] = machine_now,
    ) -> "TerminalClient":
        """Turns this device into the terminal that staff prepared. The code works once.

        Raises:
            Refused: `activation_code_unknown`.
            httpx.TransportError, Untrustworthy: no answer; the code may be used up, so ask staff for another.
        """
        body = {"activation_code": activation_code, "device_id": device_id}
        response = await http.post(f"{PREFIX}/terminals/activate", json=body)
        made = believed(response, Activated, makes=True)
        return cls(
            http,
            terminal_id=made.terminal_id,
            terminal_key=made.terminal_key,
            institution_id=made.institution_id,
            now=now,
        )

    async def verify(self, voucher: str, bill_fen: int | None = None) -> Verification:
        """Whether the voucher could be written off now, and for how much."""
        body = _without_none(voucher=voucher, bill_fen=bill_fen)
        return await self._post("/redemptions/verify", body, Verification, makes=False)

    async def redeem(
        self,
        voucher: str,
        bill_fen: int | None = None,
        *,
        request_no: str | None = None,
        used_at: datetime | None = None,
        operator: str | None = None,
    ) -> Redemption:
        """Writes a voucher off.

        Raises:
            Refused: with the code to show.
            OutcomeUnknown: carries the request number to ask or undo by.
        """
        body = _without_none(
            request_no=request_no or new_request_no(),
            voucher=voucher,
            bill_fen=bill_fen,
            used_at=None if used_at is None else used_at.isoformat(),
            operator=operator,
        )
        return await self._post("/redemptions", body, Redemption, echo=("request_no",))

    async def find(self, request_no: str) -> Lookup | None:
        """What became of a write-off; None when it has not arrived (yet) or was refused."""
        try:
            return await self._send(
                "GET",
                f"/redemptions?request_no={request_no}",
                b"",
                lambda response: _echoing(
                    believed(response, Lookup, makes=False), {"request_no": request_no}
                ),
                request_no,
            )
        except Refused as refused:
            if refused.code == _REQUEST_UNKNOWN:
                return None
            raise

    async def reverse(
        self,
        original_request_no: str,
        reason: str,
        *,
        request_no: str | None = None,
        original_terminal_id: str | None = None,
        operator: str | None = None,
    ) -> Reversal:
        """Undoes a write-off by its number, also one of which nobody knows whether it arrived."""
        body = _without_none(
            request_no=request_no or new_request_no(),
            original_request_no=original_request_no,
            reason=reason,
            original_terminal_id=original_terminal_id,
            operator=operator,
        )
        return await self._post("/reversals", body, Reversal, echo=("request_no", "original_request_no"))

    async def upload(self, batch_no: str, items: Sequence[OfflineItem]) -> Upload:
        """Hands in what was used without a line: at most 500 items, within 72 hours."""
        body = {"batch_no": batch_no, "items": msgspec.to_builtins(items)}
        return await self._post("/batches", body, Upload, makes=False, echo=("batch_no", "items"))

    async def close_day(self, day: date, *, count: int, applied_fen: int) -> DayClose:
        body = {"date": day.isoformat(), "count": count, "applied_fen": applied_fen}
        return await self._post("/terminals/day-close", body, DayClose, makes=False)

    async def operators(self) -> Roster:
        """Who works at this till, for the cashier to choose from."""
        return await self._send(
            "GET",
            "/terminals/operators",
            b"",
            lambda response: believed(response, Roster, makes=False),
            None,
        )

    async def check_in(self, version: str | None = None) -> str:
        """Takes a new key; store it. The one before stays good for ten minutes.

        `version` is of the till's software, shown to staff.
        """
        body = _without_none(version=version)
        checked_in = await self._post("/terminals/check-in", body, CheckedIn, makes=False)
        self.terminal_key = checked_in.terminal_key
        self.offset = checked_in.server_time - self._now()
        return self.terminal_key

    async def _post(
        self,
        path: str,
        body: Mapping[str, Any],
        reply: type[AnswerT],
        *,
        makes: bool = True,
        echo: Sequence[str] = (),
    ) -> AnswerT:
        """`echo`: what of the body the answer has to say again."""
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        asked = {name: body[name] for name in echo}
        return await self._send(
            "POST",
            path,
            content,
            lambda response: _echoing(believed(response, reply, makes=makes), asked),
            body.get("request_no", body.get("batch_no")),
        )

    async def _send(
        self,
        method: str,
        path: str,
        content: bytes,
        read: Callable[[httpx.Response], AnswerT],
        request_no: str | None,
    ) -> AnswerT:
        """Sends until there is an answer to believe, each try signed afresh with a nonce of its own."""
        target = PREFIX + path
        for attempt in range(self._attempts_max):
            if attempt:
                await asyncio.sleep(self._pause_seconds * 2 ** (attempt - 1))
            try:
                response = await self._http.request(
                    method, target, content=content, headers=self._headers(method, target, content)
                )
                if _later_is_better(response) or self._learned_to_sign(response):
                    continue
                return read(response)
            except (httpx.TransportError, httpx.DecodingError, Untrustworthy):
                continue
        raise OutcomeUnknown(request_no)

    def _headers(self, method: str, target: str, content: bytes) -> dict[str, str]:
        signed = authorization(
            key_id=self.terminal_id,
            key=self.terminal_key,
            method=method,
            target=target,
            timestamp=int((self._now() + self.offset).timestamp()),
            nonce=secrets.token_hex(16),
            body=content,
        )
        return (
            {"Authorization": signed, "Content-Type": "application/json"}
            if content
            else {"Authorization": signed}
        )

    def _learned_to_sign(self, response: httpx.Response) -> bool:
        """Whether the same request signed afresh can do better."""
        if response.status_code != httpx.codes.UNAUTHORIZED:
            return False
        problem = problem_of(response)
        if problem["code"] == _CLOCK_SKEW:
            self.offset = moment_of(problem.get("server_time")) - self._now()
            return True
        return bool(problem["code"] == _REPLAYED)


def _later_is_better(response: httpx.Response) -> bool:
    """Whether the same number is sent again by itself; a locked till waits for minutes, or for staff."""
    return response.status_code in _AGAIN_LATER and _LOCKED.encode() not in response.content


def _echoing(answer: AnswerT, asked: Mapping[str, Any]) -> AnswerT:
    """The answer, when it is one to what was asked. Raises Untrustworthy."""
    for name, value in asked.items():
        if name == "items":
            answered = [one.request_no for one in getattr(answer, "results", ())]
            same([item["request_no"] for item in value], answered, "batch")
        else:
            same(value, getattr(answer, name, None), name)
    return answer


def _without_none(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {name: value for name, value in fields.items() if value is not None}
