"""Logs are events: one JSON line each, past-tense sentence and key/values, never a person in them."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from shared.settings import Settings

# Keys whose values are personal or secret; the test suite greps the whole run for what slips through.
REDACTED_KEYS = frozenset(
    {
        "name", "id_number", "phone", "openid", "unionid", "code", "voucher", "voucher_code", "token",
        "access_token", "authorization", "signature", "password", "terminal_key", "key", "secret",
        "activation_code", "check_in_code", "holder_ref", "seed", "session_key", "subject",
    }
)  # fmt: skip
_REDACTED = "[redacted]"


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event.keys() & REDACTED_KEYS:
        event[key] = _REDACTED
    return event


def configure_logs(settings: Settings) -> None:
    level = getattr(logging, settings.log_level.upper())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if settings.log_format == "console"
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    chain: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
        structlog.processors.format_exc_info,
        renderer,
    ]
    structlog.configure(
        processors=chain,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up for each line: whoever takes stderr over (a supervisor, a test) gets them.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr, format="%(name)s %(message)s")
