"""Alipay mini-programs: `alipay.system.oauth.token`, signed with RSA2 (SHA-256 with RSA)."""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from shared.clock import CHINA, machine_now
from shared.errors import Busy, TooManyRequests
from shared.settings import SettingsMissing
from shared.signin.errors import SignInCodeInvalid, SignInRefused
from shared.signin.outside import Outside

log = structlog.get_logger(__name__)

_METHOD = "alipay.system.oauth.token"
_REPLY = "alipay_system_oauth_token_response"
_CODE_INVALID = "isv.code-invalid"
_TOO_OFTEN = frozenset({"isv.app-call-limited", "isp.app-call-limited", "aop.app-call-limited"})
_TOO_OFTEN_SECONDS = 60
# The user was frozen or blocked on Alipay's side.
_HIGH_RISK = frozenset({"isv.user-is-blocked", "isv.user-is-frozen"})


def signed_text(parameters: Mapping[str, str]) -> bytes:
    """What RSA2 signs: `key=value` sorted by key, joined by `&`; empty values and `sign` left out."""
    parts = [f"{key}={value}" for key, value in sorted(parameters.items()) if value and key != "sign"]
    return "&".join(parts).encode()


class Alipay:
    """`private_key` is PEM, or the bare base64 that Alipay's key tool writes."""

    def __init__(self, url: str, app_id: str, private_key: str) -> None:
        self._alipay = Outside("alipay")
        self._url = url
        self._app_id = app_id
        self._key = _load(private_key)

    async def subject_of(self, code: str) -> str:
        """App id and Alipay's open id (newer apps) or user id."""
        parameters = {
            "app_id": self._app_id,
            "method": _METHOD,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": _timestamp(machine_now()),
            "version": "1.0",
            "grant_type": "authorization_code",
            "code": code,
        }
        signature = self._key.sign(signed_text(parameters), PKCS1v15(), SHA256())
        form = parameters | {"sign": base64.b64encode(signature).decode()}
        answer = await self._alipay.ask("POST", self._url, form=form)
        return f"{self._app_id}/{_subject(answer)}"

    async def close(self) -> None:
        await self._alipay.close()


def _subject(answer: dict[str, Any]) -> str:
    reply = answer.get(_REPLY)
    subject = (reply.get("open_id") or reply.get("user_id")) if isinstance(reply, dict) else None
    if isinstance(subject, str) and subject:
        return subject
    fault = answer.get("error_response")
    reason = fault.get("sub_code") if isinstance(fault, dict) else None
    if reason == _CODE_INVALID:
        raise SignInCodeInvalid
    if reason in _TOO_OFTEN:
        raise TooManyRequests(retry_after_seconds=_TOO_OFTEN_SECONDS)
    if reason in _HIGH_RISK:
        log.warning("Alipay refused a high-risk user", sub_code=reason)
        raise SignInRefused
    # 20000: Alipay is busy. Others, such as isv.invalid-signature, are for the operator to mend.
    log.error("Alipay did not name the user", sub_code=reason)
    raise Busy


def _timestamp(moment: datetime) -> str:
    """Alipay compares it with its own clock, so it is the machine's time, in China's zone."""
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _load(private_key: str) -> RSAPrivateKey:
    try:
        if "-----BEGIN" in private_key:
            key = load_pem_private_key(private_key.encode(), password=None)
        else:
            key = load_der_private_key(base64.b64decode(private_key), password=None)
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise SettingsMissing("set HV_ALIPAY_PRIVATE_KEY to the app's RSA private key (PEM or its base64)")
    return key
