"""What must happen next, written in the same transaction; delivered at least once, effective once."""

from shared.outbox.store import OutboxItem, add, add_many

__all__ = ["OutboxItem", "add", "add_many"]
