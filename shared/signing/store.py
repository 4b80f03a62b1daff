from datetime import datetime

from sqlalchemy import text

from shared.db import Tx
from shared.signing import NONCE_LIFE, Replayed, SignatureHeader

_USE = text("SELECT core.nonces_use(ARRAY[:key_id], ARRAY[:nonce], :expires_at)")
_FORGET = text("DELETE FROM core.nonce WHERE expires_at < :now")


async def use_nonce(tx: Tx, header: SignatureHeader, now: datetime) -> None:
    """Uses the nonce up in the caller's transaction, for calls that are not set-based functions.

    Raises:
        Replayed: it was used before.
    """
    values = {"key_id": header.key_id, "nonce": header.nonce, "expires_at": now + NONCE_LIFE}
    if (await tx.execute(_USE, values)).scalars().all():
        raise Replayed


async def forget_nonces(tx: Tx, now: datetime) -> int:
    """Deletes nonces whose timestamps are no longer accepted; returns how many."""
    return (await tx.execute(_FORGET, {"now": now})).rowcount
