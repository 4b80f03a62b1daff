"""Which refusals the calls of a room can answer, and what a caller does about each status."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from shared import errors
from shared.errors import Refusal

_OPERATION = re.compile(r"operation_id=\"(\w+)\"")
# They are told once, on the page of conventions: any call may answer them.
_GENERAL = frozenset(
    one.code
    for one in vars(errors).values()
    if isinstance(one, type) and hasattr(one, "code") and hasattr(one, "zh")
) - {"request_no_reused", "no_longer_fits"}

# Status → what the caller does, Chinese and English.
TO_DO: Mapping[int, tuple[str, str]] = {
    400: ("更正请求后再发。", "Correct the request, then send it again."),
    401: (
        "重新登录（终端、平台：用新的时间戳和随机串重新签名），再以同一 `request_no` 重发。",
        "Sign in again (tills, platforms: sign afresh), then send it under the same `request_no`.",
    ),
    403: (
        "重试无用：换有权限的账号，或联系管理方。",
        "Trying again is no use: take an account that may, or ask whoever runs the programme.",
    ),
    404: ("核对编号、券码或地址。", "Check the id, the code or the address."),
    405: ("换用文档中的方法。", "Use the method that is documented."),
    409: (
        "什么都没有改变：按提示消除原因；再做时换新的 `request_no`。",
        "Nothing was changed: remove the cause that the sentence names; do it anew with a new `request_no`.",
    ),
    410: ("内容已不存在，无需重试。", "It is gone for good; do not try again."),
    413: ("减小内容或分批上传。", "Send less, or in several parts."),
    415: ("改用文档中的 `Content-Type`。", "Send the documented `Content-Type`."),
    422: ("按 `errors` 逐项更正后再发。", "Correct what `errors` lists, then send it again."),
    429: (
        "等待 `Retry-After` 秒，再以同一 `request_no` 重发。",
        "Wait `Retry-After` seconds, then the same again.",
    ),
    500: (
        "不是您的错：记下 `X-Request-Id` 告知运维，再以同一 `request_no` 重发。",
        "Not your fault: tell the `X-Request-Id`, and send it again under the same `request_no`.",
    ),
    503: (
        "等待 `Retry-After` 秒，再以同一 `request_no` 重发。",
        "Wait `Retry-After` seconds, then the same again.",
    ),
}


@dataclass(frozen=True, order=True, slots=True)
class Told:
    code: str
    status: int
    zh: str
    en: str


def rooms_of_operations(root: Path, service: str) -> dict[str, str]:
    """Operation id → the room whose routes have it."""
    return {
        operation: routes.parent.name
        for routes in sorted((root / "services" / service).glob("*/routes.py"))
        for operation in _OPERATION.findall(routes.read_text(encoding="utf-8"))
    }


def of_room(root: Path, service: str, room: str) -> frozenset[Told]:
    """Every refusal that one of the room's modules names, but those that any call may answer."""
    return frozenset(
        Told(refusal.code, refusal.status, refusal.zh, refusal.en)
        for path in (root / "services" / service / room).glob("*.py")
        for refusal in _named(f"services.{service}.{room}.{path.stem}")
        if refusal.code not in _GENERAL
    )


def general() -> list[Told]:
    """Those that any call may answer."""
    found = {
        Told(one.code, one.status, one.zh, one.en) for one in _named(errors.__name__) if one.code in _GENERAL
    }
    return sorted(found, key=lambda told: (told.status, told.code))


def _named(module: str) -> Iterator[type[Refusal]]:
    for value in vars(import_module(module)).values():
        if isinstance(value, type) and issubclass(value, Refusal) and hasattr(value, "code"):
            yield value
