from shared.db.base import Base
from shared.db.database import Database, Tx, is_unavailable, retried, sqlstate

__all__ = ["Base", "Database", "Tx", "is_unavailable", "retried", "sqlstate"]
