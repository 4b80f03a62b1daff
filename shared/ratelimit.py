"""Rate limits per person, device and address: how much of one thing in a moving window.

Redis counts for all processes together. While it is away each process counts for itself, by a stricter
limit: never unlimited, never a 500. A limit only ever says no early; what a person may do at all is
decided by Postgres.
"""

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter as SharedWindow
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from limits.strategies import MovingWindowRateLimiter as OwnWindow
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from shared.clock import machine_now, machine_seconds
from shared.errors import TooManyRequests
from shared.settings import Settings

log = structlog.get_logger(__name__)

# After a failure Redis is left alone for this long, so that its absence does not slow every request.
REDIS_PAUSE_SECONDS = 5.0
# Alone, a process allows this part: with four processes the sum is what Redis would have allowed.
ALONE_DIVISOR = 4


@dataclass(frozen=True, slots=True)
class Limit:
    """`amount` hits of one key within `seconds`; `scope` keeps equal keys of different limits apart."""

    scope: str
    amount: int
    seconds: int


# A clerk mistypes a few times; an office of 30 behind one address signs in within a few minutes.
# Guessing is stopped earlier, per user name (services/console/staff).
CONSOLE_SIGN_IN_PER_ADDRESS = Limit("console-sign-in/address", amount=60, seconds=60)
# A screen asks every ten seconds: two hundred screens of a prefecture behind one address.
SCREEN_PER_ADDRESS = Limit("console-screen/address", amount=1_200, seconds=60)
# Mini-program gateways and mobile carriers put thousands of people behind one address, and at the opening
# all of them sign in within a minute: this only stops a flood from a single machine.
SESSION_PER_ADDRESS = Limit("issuance-session/address", amount=6_000, seconds=60)
# An app signs in at its start and after a month; retries on a bad network included.
SESSION_PER_DEVICE = Limit("issuance-session/device", amount=20, seconds=60)
# Whoever binds an id number has it at hand; this bounds asking which numbers are taken already.
IDENTITY_PER_PERSON = Limit("issuance-identity/person", amount=10, seconds=600)
# A family shares a phone; a machine that tries numbers out changes its accounts, not its device.
IDENTITY_PER_DEVICE = Limit("issuance-identity/device", amount=30, seconds=600)
# Attempts per day are limited by the quiz rule; a person cannot read ten questions every two seconds.
QUIZ_PER_PERSON = Limit("issuance-quiz/person", amount=30, seconds=60)
# An app keeps a draft when an answer is chosen, and when it goes into the background.
DRAFT_PER_PERSON = Limit("issuance-draft/person", amount=120, seconds=60)
# A draw shows a two-second animation; retries of one tap included.
DRAW_PER_PERSON = Limit("issuance-draw/person", amount=30, seconds=60)
# A person checks in, or reports what it saw, a few times a day; this also bounds guessing at check-in codes.
ACTIVITY_PER_PERSON = Limit("issuance-activity/person", amount=30, seconds=60)
# A report has a handful of photos; each costs a decode, so they are bounded tighter.
PHOTO_PER_PERSON = Limit("issuance-photo/person", amount=20, seconds=60)
# Phones behind one carrier's address all open the page at 11:00:00; one machine that invents them is stopped.
OPENING_PER_ADDRESS = Limit("issuance-opening/address", amount=6_000, seconds=60)
# Reads all that a person ever did; nobody needs it more than now and then.
EXPORT_PER_PERSON = Limit("issuance-export/person", amount=10, seconds=3600)
# A clerk looks into a case; whoever reveals one person after another is copying a list.
REVEAL_PER_STAFF = Limit("issuance-reveal/staff", amount=30, seconds=3600)
# A person without a phone comes a few times a day; this bounds guessing at id numbers, and wrong ones also
# count as wrong codes, which lock the terminal.
MANUAL_PER_TERMINAL = Limit("redemption-manual/terminal", amount=10, seconds=600)


# The limits of everything, counted by each process for itself, so that they cost no way to Redis: only what
# no person with a phone can do is stopped. An app asks some ten things for each page; a family has one phone.
ANYTHING_PER_PERSON = Limit("anything/person", amount=300, seconds=60)
ANYTHING_PER_DEVICE = Limit("anything/device", amount=600, seconds=60)
# Thousands of honest phones share the address of a mobile carrier, and all of them come at 11:00:00.
ANYTHING_PER_ADDRESS = Limit("anything/address", amount=60_000, seconds=60)


class RateLimiter:
    """Keys are opaque ids or addresses, never a name or an id number: they stand in Redis for a minute."""

    def __init__(self, redis_url: str, *, enabled: bool, timeout_seconds: float) -> None:
        self._enabled = enabled
        # A limit that costs more time than what it guards is worse than none: then this process counts.
        self._pool = ConnectionPool.from_url(
            redis_url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds
        )
        # The address is the pool's; the library only wants a scheme that it knows.
        options: dict[str, Any] = {"implementation": "redispy", "connection_pool": self._pool}
        self._shared = SharedWindow(RedisStorage("redis://", key_prefix="hv-limit", **options))
        self._own = OwnWindow(MemoryStorage())
        self._floods = FixedWindowRateLimiter(MemoryStorage())
        self._away_until = 0.0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """A lifespan of the app: gives the connections back at the end."""
        try:
            yield
        finally:
            await self._pool.aclose()

    async def hit(self, limit: Limit, key: str) -> None:
        """Counts one hit.

        Raises:
            TooManyRequests: there were too many within the window; says when to come back.
        """
        if not self._enabled:
            return
        if machine_seconds() >= self._away_until:
            try:
                await self._hit_shared(limit, key)
            except (RedisError, OSError, TimeoutError) as error:
                self._away_until = machine_seconds() + REDIS_PAUSE_SECONDS
                log.warning("Rate limits are counted by this process alone", error=type(error).__name__)
            else:
                return
        self._hit_own(limit, key)

    def stop_flood(self, limit: Limit, key: str) -> None:
        """Counts one hit of this process, in fixed windows: some microseconds, without Redis.

        Raises:
            TooManyRequests: there were too many within the window.
        """
        if not self._enabled:
            return
        item = RateLimitItemPerSecond(limit.amount, limit.seconds)
        if not self._floods.hit(item, limit.scope, key):
            reset_at, _ = self._floods.get_window_stats(item, limit.scope, key)
            raise _refusal(item, reset_at)

    async def _hit_shared(self, limit: Limit, key: str) -> None:
        item = RateLimitItemPerSecond(limit.amount, limit.seconds)
        if not await self._shared.hit(item, limit.scope, key):
            reset_at, _ = await self._shared.get_window_stats(item, limit.scope, key)
            raise _refusal(item, reset_at)

    def _hit_own(self, limit: Limit, key: str) -> None:
        item = RateLimitItemPerSecond(max(1, limit.amount // ALONE_DIVISOR), limit.seconds)
        if not self._own.hit(item, limit.scope, key):
            reset_at, _ = self._own.get_window_stats(item, limit.scope, key)
            raise _refusal(item, reset_at)


def build_limiter(settings: Settings) -> RateLimiter:
    """Connects on first use. `HV_RATE_LIMITS=off` (demonstrations only) lifts every limit."""
    return RateLimiter(
        settings.redis_url,
        enabled=settings.rate_limits == "on",
        timeout_seconds=settings.rate_limit_timeout_seconds,
    )


def _refusal(item: RateLimitItem, reset_at: float) -> TooManyRequests:
    wait = math.ceil(reset_at - machine_now().timestamp())
    return TooManyRequests(retry_after_seconds=min(max(1, wait), item.get_expiry()))
