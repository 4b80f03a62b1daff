"""The bare database's side of the write-off: the platform's own function, one voucher a transaction.

pgbench calls one function that takes the next prepared item and redeems it: no HTTP, no signature, no
parsing, one round trip. It is the best that a client of this schema could do one by one.
"""

import secrets
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from bench.pgbench import transactions_a_second
from shared.crypto import KeyedHash
from shared.ids import bucket_from_symbols
from shared.vouchers.codes import code_hash, normalise

_SETUP = Path(__file__).with_name("functions.sql").read_text(encoding="utf-8")


async def redeem_bare(
    url: str, *, codes: Sequence[str], key_ids: Sequence[str], index: KeyedHash, clients: int
) -> float:
    """Redeems the codes by pgbench and returns the transactions a second.

    Their number must divide by the clients.

    Raises:
        PgbenchFailed: one was not redeemed.
    """
    rows = []
    for place, shown in enumerate(codes):
        code = normalise(shown) or ""
        address = (bucket_from_symbols(code[:2]), code_hash(index, code))
        key_id = key_ids[place % len(key_ids)]
        rows.append((place + 1, key_id, secrets.token_hex(8), secrets.token_hex(12), *address))
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(False))
    try:
        await connection.execute(_SETUP)
        await connection.copy_records_to_table("item", schema_name="bench", records=rows)
    finally:
        await connection.close()
    statement = "SELECT bench.redeem_next();"
    return await transactions_a_second(url, statement, clients=clients, each=len(codes) // clients)
