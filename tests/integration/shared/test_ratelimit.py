"""Rate limits: shared by all processes through Redis, stricter without it, and cheap to be refused by."""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from shared.clock import machine_seconds
from shared.errors import TooManyRequests
from shared.ids import new_id
from shared.ratelimit import ALONE_DIVISOR, Limit, RateLimiter, build_limiter
from shared.settings import Settings

AWAY = "redis://127.0.0.1:1/0"
# Seconds that no busy core makes Redis take.
PATIENT = 5.0
LIMIT = Limit("test", amount=20, seconds=60)


@pytest.fixture
async def limiters(settings: Settings) -> AsyncIterator[list[RateLimiter]]:
    """Of two processes."""
    async with AsyncExitStack() as stack:
        made = [RateLimiter(settings.redis_url, enabled=True, timeout_seconds=PATIENT) for _ in range(2)]
        for limiter in made:
            await stack.enter_async_context(limiter.running())
        yield made


async def outcome(limiter: RateLimiter, limit: Limit, key: str) -> str:
    try:
        await limiter.hit(limit, key)
    except TooManyRequests as refusal:
        wait = refusal.retry_after_seconds or 0
        return "refused" if 1 <= wait <= limit.seconds else f"refused for {wait} s"
    return "let in"


async def test_processes_share_one_limit_also_at_the_same_moment(limiters: list[RateLimiter]) -> None:
    key = new_id().hex
    outcomes = await asyncio.gather(*(outcome(limiters[n % 2], LIMIT, key) for n in range(50)))
    assert Counter(outcomes) == {"let in": LIMIT.amount, "refused": 30}


async def test_keys_and_scopes_do_not_touch_each_other(limiters: list[RateLimiter]) -> None:
    one, other = new_id().hex, new_id().hex
    for _ in range(LIMIT.amount):
        await limiters[0].hit(LIMIT, one)
    assert await outcome(limiters[0], LIMIT, one) == "refused"
    assert await outcome(limiters[0], LIMIT, other) == "let in"
    assert await outcome(limiters[0], Limit("other", 1, 60), one) == "let in"


async def test_window_moves(limiters: list[RateLimiter]) -> None:
    key, short = new_id().hex, Limit("short", amount=1, seconds=1)
    assert await outcome(limiters[0], short, key) == "let in"
    assert await outcome(limiters[0], short, key) == "refused"
    await asyncio.sleep(1.1)
    assert await outcome(limiters[0], short, key) == "let in"


async def test_without_redis_each_process_is_stricter_and_never_unlimited() -> None:
    limiter = RateLimiter(AWAY, enabled=True, timeout_seconds=PATIENT)
    async with limiter.running():
        outcomes = Counter([await outcome(limiter, LIMIT, "k") for _ in range(50)])
        assert outcomes == {"let in": LIMIT.amount // ALONE_DIVISOR, "refused": 50 - 5}
        assert await outcome(limiter, Limit("tiny", 1, 60), "k") == "let in"
        assert await outcome(limiter, Limit("tiny", 1, 60), "k") == "refused"


async def test_redis_that_does_not_answer_slows_one_request_not_all() -> None:
    asked = 0

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    limiter = RateLimiter(f"redis://127.0.0.1:{port}/0", enabled=True, timeout_seconds=0.5)
    async with limiter.running():
        for _ in range(3):
            await limiter.hit(LIMIT, "k")
    server.close()
    assert asked == 1, "after the first silence it is left alone"


async def test_redis_that_comes_back_is_asked_again(settings: Settings) -> None:
    limiter = RateLimiter(settings.redis_url, enabled=True, timeout_seconds=PATIENT)
    async with limiter.running():
        limiter._away_until = math.inf
        key, one = new_id().hex, Limit("back", amount=4, seconds=60)
        assert await outcome(limiter, one, key) == "let in"
        assert await outcome(limiter, one, key) == "refused", "alone it allows a quarter"
        limiter._away_until = machine_seconds()
        assert [await outcome(limiter, one, key) for _ in range(5)] == ["let in"] * 4 + ["refused"]


async def test_limits_are_lifted_for_load_tests_only(settings: Settings) -> None:
    assert settings.rate_limits == "off"
    lifted = build_limiter(settings)
    assert {await outcome(lifted, Limit("none", 1, 60), "k") for _ in range(20)} == {"let in"}
    with pytest.raises(ValueError, match="HV_DEMO"):
        Settings(**settings.model_dump() | {"demo": False})
