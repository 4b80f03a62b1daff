"""The way to Postgres: an SQLAlchemy engine for everything, and an asyncpg pool for the hot operations.

One operation is one visible transaction (`async with database.transaction() as tx:`), committed
before the answer is built. Nothing else opens or commits one.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from typing_extensions import override

from shared.errors import invariant

P = ParamSpec("P")
T = TypeVar("T")

Tx = AsyncConnection

# A request that the database has not answered by then gets 503: api.md promises an answer within 5 s.
COMMAND_TIMEOUT_SECONDS = 4.0
# The same for all of a transaction: waiting for a connection, every statement, the commit.
TRANSACTION_SECONDS = 4.5
# Reports, imports and the integrity check may take longer; they have their own few connections.
SLOW_TIMEOUT_SECONDS = 120.0
CONNECT_TIMEOUT_SECONDS = 3.0
LOCK_TIMEOUT_SECONDS = 3.0
# A connection whose server does not answer is given up, not said goodbye to.
CLOSE_SECONDS = 0.2

# Serialization failure and deadlock: the database chose a victim, the same operation may run again.
RETRYABLE_SQLSTATES = frozenset({"40001", "40P01"})
RETRIES_MAX = 4


# InternalClientError: the connection was still busy with being cancelled. PoolTimeout: none came free.
_UNAVAILABLE = (OSError, TimeoutError, PoolTimeout, asyncpg.InterfaceError, asyncpg.InternalClientError)


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE of a driver error, also when SQLAlchemy wrapped it."""
    original = getattr(error, "orig", None) or error
    state = getattr(original, "sqlstate", None)
    return state if isinstance(state, str) else None


# What a loop waits out, and asks again: the database is away, or not as it will be (not migrated yet).
TROUBLE = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


def is_unavailable(error: BaseException) -> bool:
    """True when the database could not be reached or did not answer in time (not a fault of the request)."""
    if isinstance(error, _UNAVAILABLE):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    original = getattr(error, "orig", None)
    if isinstance(original, (OSError, TimeoutError)) or (
        original and "InterfaceError" in type(original).__name__
    ):
        return True
    state = sqlstate(error) or ""
    # 08: connection, 53: out of resources, 57: shutdown or cancelled by timeout, 55P03: lock timeout,
    # 25006: read-only after a failover; 58: system error such as a full disk.
    return state[:2] in {"08", "53", "57", "58"} or state in {"55P03", "25006"}


def retried(operation: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Runs the whole operation again when the database chose it as the victim (40001, 40P01) – only then."""

    @functools.wraps(operation)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(RETRIES_MAX - 1):
            try:
                return await operation(*args, **kwargs)
            except (DBAPIError, asyncpg.PostgresError) as error:
                if sqlstate(error) not in RETRYABLE_SQLSTATES:
                    raise
        return await operation(*args, **kwargs)

    return run


def _server_settings(timeout_seconds: float) -> dict[str, str]:
    return {
        "application_name": "health-vouchers",
        "statement_timeout": str(int(timeout_seconds * 1000)),
        "lock_timeout": str(int(min(LOCK_TIMEOUT_SECONDS, timeout_seconds) * 1000)),
        "idle_in_transaction_session_timeout": str(int(timeout_seconds * 2000)),
        "timezone": "UTC",
        "jit": "off",
    }


class _Connection(asyncpg.Connection):
    @override
    async def close(self, *, timeout: float | None = None) -> None:
        """Quick also for a server that is frozen: whoever waits for the answer is promised one in time."""
        await super().close(timeout=min(timeout or CLOSE_SECONDS, CLOSE_SECONDS))


def _engine(url: str, *, pool_size: int, timeout_seconds: float) -> AsyncEngine:
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=CONNECT_TIMEOUT_SECONDS,
        pool_pre_ping=False,
        # An error's text goes into logs and into the outbox: what was sent along must not.
        hide_parameters=True,
        connect_args={
            "timeout": CONNECT_TIMEOUT_SECONDS,
            "command_timeout": timeout_seconds,
            "server_settings": _server_settings(timeout_seconds),
            "connection_class": _Connection,
        },
    )


async def _keep_session(_connection: object) -> None:
    """Hot operations leave no session state behind, so the pool's reset query (90 µs) is left out."""


class Database:
    """The connections of one process.

    Both pools connect on first use, so a process starts (and answers 503) while the database is
    away, and recovers without a restart.
    """

    def __init__(self, url: str, *, pool_size: int = 6, hot_pool_size: int = 6) -> None:
        self.url = url
        self._hot_pool_size = hot_pool_size
        self._engine = _engine(url, pool_size=pool_size, timeout_seconds=COMMAND_TIMEOUT_SECONDS)
        self._slow_engine = _engine(url, pool_size=2, timeout_seconds=SLOW_TIMEOUT_SECONDS)
        self._hot: asyncpg.Pool | None = None

    async def start(self) -> None:
        """Creates the hot pool; opens no connection yet."""
        self._hot = await asyncpg.create_pool(
            dsn=make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False),
            min_size=0,
            max_size=self._hot_pool_size,
            timeout=CONNECT_TIMEOUT_SECONDS,
            command_timeout=COMMAND_TIMEOUT_SECONDS,
            server_settings=_server_settings(COMMAND_TIMEOUT_SECONDS),
            connection_class=_Connection,
            reset=_keep_session,
        )

    async def stop(self) -> None:
        if self._hot is not None:
            await self._hot.close()
            self._hot = None
        await self._engine.dispose()
        await self._slow_engine.dispose()

    @asynccontextmanager
    async def transaction(self, *, slow: bool = False) -> AsyncIterator[Tx]:
        """One transaction: committed when the block ends, rolled back when it raises.

        `slow` gives each statement up to 120 s, for reports and jobs; requests are answered within 5 s.
        """
        engine = self._slow_engine if slow else self._engine
        async with asyncio.timeout(None if slow else TRANSACTION_SECONDS), engine.begin() as tx:
            yield tx

    @asynccontextmanager
    async def snapshot(self, *, slow: bool = False) -> AsyncIterator[Tx]:
        """Read-only view in which every statement sees the same instant (repeatable read)."""
        engine = self._slow_engine if slow else self._engine
        async with asyncio.timeout(None if slow else TRANSACTION_SECONDS), engine.connect() as connection:
            tx = await connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            async with tx.begin():
                yield tx

    async def call(self, statement: str, *args: object) -> list[asyncpg.Record]:
        """Runs one hot statement (one SQL function call) in its own transaction and returns its rows.

        The statement is durable when this returns: a single statement commits before its result is
        complete. Only stores call this.
        """
        pool = self._hot
        invariant(pool is not None, "Database.start() was not awaited")
        assert pool is not None  # noqa: S101 - narrows the type; the invariant above already refused
        async with asyncio.timeout(TRANSACTION_SECONDS):
            return await pool.fetch(statement, *args, timeout=COMMAND_TIMEOUT_SECONDS)
