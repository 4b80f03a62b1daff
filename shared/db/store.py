from sqlalchemy import text

from shared.db.database import Tx

_REVISION = text("SELECT version_num FROM core.alembic_version")


async def schema_revision(tx: Tx) -> str | None:
    """The Alembic revision the database is at; raises ProgrammingError before the first migration."""
    revision: str | None = (await tx.execute(_REVISION)).scalar_one_or_none()
    return revision
