from shared.db.base import Base
from shared.db.database import TROUBLE, Database, Tx, is_unavailable, retried, sqlstate

__all__ = ["TROUBLE", "Base", "Database", "Tx", "is_unavailable", "retried", "sqlstate"]
