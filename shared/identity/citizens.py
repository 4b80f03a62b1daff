"""Citizens' access tokens: short JWTs of our own, for one audience, checked without the database."""

import base64
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import jwt
import msgspec

from shared.errors import Unauthenticated
from shared.idempotency import Caller

AUDIENCE = "hv-citizen"
_ALGORITHM = "HS256"
_CACHE_MAX = 50_000
# A general reader of such tokens costs a fifth of a quiz start; what we issue has one form.
_HEADER = jwt.encode({}, bytes(32), algorithm=_ALGORITHM).partition(".")[0]


class _Claims(msgspec.Struct, frozen=True, gc=False):
    aud: str
    sub: str
    per: str
    bkt: int
    exp: int


_CLAIMS = msgspec.json.Decoder(_Claims)


@dataclass(frozen=True, slots=True)
class Citizen:
    """The holder of a token: the account that signed in and the person whose rows it may touch."""

    account_id: UUID
    bucket: int
    person_id: UUID
    expires_at: datetime

    @property
    def caller(self) -> Caller:
        return Caller(bucket=self.bucket, id=self.person_id)


class CitizenTokens:
    """Issues and reads tokens. Verified tokens are remembered until they expire (pure function of text)."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._seen: dict[str, Citizen] = {}

    def issue(self, *, account_id: UUID, bucket: int, person_id: UUID, now: datetime, life: timedelta) -> str:
        claims = {
            "aud": AUDIENCE,
            "sub": account_id.hex,
            "per": person_id.hex,
            "bkt": bucket,
            "iat": int(now.timestamp()),
            "exp": int((now + life).timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str, now: datetime) -> Citizen:
        """Raises Unauthenticated for a token that is not ours, for another audience, or expired."""
        citizen = self._seen.get(token) or self._verify(token, now)
        if citizen.expires_at <= now:
            raise Unauthenticated
        return citizen

    def _verify(self, token: str, now: datetime) -> Citizen:
        claims = self._claims(token)
        try:
            citizen = Citizen(
                account_id=UUID(hex=claims.sub),
                bucket=claims.bkt,
                person_id=UUID(hex=claims.per),
                expires_at=datetime.fromtimestamp(claims.exp, tz=now.tzinfo),
            )
        except (ValueError, OverflowError, OSError):
            raise Unauthenticated from None
        if len(self._seen) >= _CACHE_MAX:
            self._seen.clear()
        self._seen[token] = citizen
        return citizen

    def _claims(self, token: str) -> _Claims:
        """Reads what `issue` has made, and nothing else: one header, one algorithm, one audience."""
        told, _, signature = token.rpartition(".")
        header, _, payload = told.partition(".")
        if header != _HEADER or not token.isascii():
            raise Unauthenticated
        due = hmac.digest(self._key, told.encode(), "sha256")
        if not hmac.compare_digest(base64.urlsafe_b64encode(due).rstrip(b"="), signature.encode()):
            raise Unauthenticated
        try:
            claims = _CLAIMS.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        except (ValueError, msgspec.MsgspecError):
            raise Unauthenticated from None
        if claims.aud != AUDIENCE:
            raise Unauthenticated
        return claims
