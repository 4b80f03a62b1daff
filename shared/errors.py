"""Refusals: every way in which the platform says no, as a named class with a stable code.

A refusal is a business answer or a wrong request, never a fault of ours. It carries what the
problem document needs (RFC 9457); shared/http renders it. Raising one inside a transaction
rolls the transaction back, so a refusal never leaves a partial effect.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a request body: where it is, what is wrong, and a stable word for it."""

    loc: str
    message: str
    code: str


class Refusal(Exception):
    """Base of all refusals. `code` never changes once published; the sentences may.

    `status` is the HTTP status; `zh` and `en` are one sentence each that a front desk can read out.
    """

    code: ClassVar[str]
    status: ClassVar[int] = 409
    zh: ClassVar[str]
    en: ClassVar[str]

    def __init__(
        self,
        reason: str | None = None,
        *,
        faults: tuple[Fault, ...] = (),
        extra: dict[str, object] | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(reason or self.en)
        self.reason = reason
        self.faults = faults
        self.extra = extra or {}
        self.retry_after_seconds = retry_after_seconds

    def detail(self, language: str) -> str:
        """The sentence for this language, with the reason (if one was given) behind it."""
        sentence = self.en if language == "en" else self.zh
        if self.reason is None:
            return sentence
        return f"{sentence} {self.reason}" if language == "en" else f"{sentence}{self.reason}"


class Unauthenticated(Refusal):
    code = "unauthenticated"
    status = 401
    zh = "请先登录，或登录已过期，请重新登录。"
    en = "Sign in first, or sign in again: the credentials are missing or no longer valid."


class Forbidden(Refusal):
    code = "forbidden"
    status = 403
    zh = "您没有进行此操作的权限。"
    en = "You are not allowed to do this."


class NotFound(Refusal):
    code = "not_found"
    status = 404
    zh = "没有找到您要的内容。"
    en = "There is nothing here under that address."


class MethodNotAllowed(Refusal):
    code = "method_not_allowed"
    status = 405
    zh = "该地址不支持这种请求方法。"
    en = "This address does not answer that method."


class PayloadTooLarge(Refusal):
    code = "payload_too_large"
    status = 413
    zh = "提交的内容过大，请减小后重试。"
    en = "The request is larger than this address accepts."


class UnsupportedMediaType(Refusal):
    code = "unsupported_media_type"
    status = 415
    zh = "请以 JSON（application/json）格式提交。"
    en = "Send the body as JSON (application/json)."


class InvalidRequest(Refusal):
    code = "invalid_request"
    status = 422
    zh = "提交的内容有误，请按提示修改后重试。"
    en = "The request has faults; each is named in `errors`."


class RequestNoReused(Refusal):
    code = "request_no_reused"
    zh = "该请求号已用于另一项内容，请换一个新的请求号。"
    en = "This request number was used before with a different body."


class Busy(Refusal):
    code = "busy"
    status = 503
    zh = "系统繁忙，请稍后重试。"
    en = "The service is busy; please try again in a moment."

    def __init__(self, reason: str | None = None, *, retry_after_seconds: int = 1) -> None:
        super().__init__(reason, retry_after_seconds=retry_after_seconds)


class TooManyRequests(Refusal):
    code = "too_many_requests"
    status = 429
    zh = "操作过于频繁，请稍后重试。"
    en = "Too many requests; please slow down."


class NoLongerFits(Refusal):
    code = "no_longer_fits"
    zh = "情况已变化，该变更不再适用："
    en = "The change no longer fits the present state:"


class InvariantBroken(Exception):
    """Something that cannot be is so: a defect of ours, answered 500 and alarmed."""


def invariant(condition: object, sentence: str) -> None:
    """Crash on the impossible (also under -O); never used for input.

    Raises:
        InvariantBroken: when the condition does not hold.
    """
    if not condition:
        raise InvariantBroken(sentence)
