"""Alembic's environment: one history for all schemas, one transaction for each migration."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from alembic import context
from sqlalchemy import Connection, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.util import await_only

from migrations.functions import function_sources
from migrations.metadata import SCHEMAS, load_metadata

# Two deployers at once: the second waits here until the first is done.
_ADVISORY_LOCK = text("SELECT pg_advisory_lock(20201101)")
# A migration that cannot get its lock gives up instead of stopping the traffic behind it.
_TIMEOUTS = {"lock_timeout": "2000", "statement_timeout": "600000", "application_name": "hv-migrate"}

_OPTIONS: dict[str, Any] = {
    "version_table_schema": "core",
    "include_schemas": True,
    "compare_type": True,
    "transaction_per_migration": True,
}


def _include_name(name: str | None, kind: str, parents: MutableMapping[Any, str | None]) -> bool:
    if kind == "schema":
        return name in SCHEMAS
    return not (kind == "table" and parents.get("schema_name") == "core" and name == "alembic_version")


def _render_sql() -> None:
    context.configure(dialect_name="postgresql", target_metadata=load_metadata(), **_OPTIONS)
    with context.begin_transaction():
        context.execute("CREATE SCHEMA IF NOT EXISTS core")
        context.run_migrations()


def _migrate(connection: Connection) -> None:
    connection.execute(_ADVISORY_LOCK)
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS core"))
    connection.commit()
    context.configure(
        connection=connection, target_metadata=load_metadata(), include_name=_include_name, **_OPTIONS
    )
    with context.begin_transaction():
        context.run_migrations()
    heads = context.get_context().get_current_heads()
    if context.script.get_current_head() in heads:
        # Straight to the driver: a file holds many statements, which a prepared statement cannot.
        driver: Any = connection.connection.driver_connection
        for source in function_sources():
            await_only(driver.execute(source))
        # Asking for the heads has begun a transaction, which the driver's statements joined.
        connection.commit()


async def _connect_and_migrate(url: str) -> None:
    engine = create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        poolclass=NullPool,
        connect_args={"server_settings": _TIMEOUTS},
    )
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
    await engine.dispose()


if context.is_offline_mode():
    _render_sql()
else:
    asyncio.run(_connect_and_migrate(context.config.attributes["database_url"]))
