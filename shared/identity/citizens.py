"""Citizens' access tokens: short JWTs of our own, for one audience, checked without the database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import jwt

from shared.errors import Unauthenticated
from shared.idempotency import Caller

AUDIENCE = "hv-citizen"
_ALGORITHM = "HS256"
_CACHE_MAX = 50_000


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
        try:
            # The platform's clock decides about expiry, not the machine's.
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "sub", "per", "bkt"]},
            )
            citizen = Citizen(
                account_id=UUID(hex=claims["sub"]),
                bucket=int(claims["bkt"]),
                person_id=UUID(hex=claims["per"]),
                expires_at=datetime.fromtimestamp(claims["exp"], tz=now.tzinfo),
            )
        except (jwt.InvalidTokenError, ValueError, TypeError):
            raise Unauthenticated from None
        if len(self._seen) >= _CACHE_MAX:
            self._seen.clear()
        self._seen[token] = citizen
        return citizen
