"""Wiring only: servers of the run, a migrated database for each module, a clock that tests move."""

import base64
import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from itertools import count

import pytest
from pydantic import SecretStr
from redis import Redis

from migrations.runner import upgrade
from shared.clock import CHINA, ManualClock
from shared.kit import Kit, build_kit
from shared.settings import Settings
from tests.support.servers import Servers, running_servers

_numbers = count(1)

# Phase 1 of the model campaign opened at 11:00 on this day.
START = datetime(2020, 10, 31, 9, 0, tzinfo=CHINA)


def _key(name: str) -> str:
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    with running_servers() as running:
        yield running


@pytest.fixture(scope="module")
def database_url(servers: Servers, worker_id: str) -> Iterator[str]:
    """A database of the module's own, migrated by Alembic (cloned from one that was)."""
    template = servers.ensure_template("hv_template", upgrade)
    name = f"hv_{worker_id}_{next(_numbers)}"
    yield servers.create_database(name, template=template)
    servers.drop_database(name)


@pytest.fixture(scope="module")
def settings(servers: Servers, database_url: str, worker_id: str) -> Settings:
    # Each test process has a Redis database of its own: workers must not take each other's jobs. It begins
    # empty in each module: what another one counted against a limit would still count for a minute.
    redis_database = int(worker_id.removeprefix("gw")) + 1 if worker_id.startswith("gw") else 0
    redis_url = servers.redis_url.replace("?db=0", f"?db={redis_database}")
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
    return Settings(
        environment="local",
        demo=True,
        database_url=database_url,
        redis_url=redis_url,
        data_keys=SecretStr(f"k1:{_key('data')}"),
        index_key=SecretStr(_key("index")),
        token_key=SecretStr(_key("token")),
        metrics_token=SecretStr("metrics-token-of-the-tests"),
        admin_username="admin",
        admin_password=SecretStr("Correct-Horse-7-Battery"),
        rate_limits="off",
        # On busy cores a quarter of a second passes without Redis being away.
        rate_limit_timeout_seconds=5,
        log_level="warning",
    )


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture(scope="module")
async def kit(settings: Settings, clock: ManualClock) -> AsyncIterator[Kit]:
    """For tests below HTTP, and for builders that write rows directly."""
    built = build_kit(settings, clock=clock)
    await built.database.start()
    yield built
    await built.database.stop()
