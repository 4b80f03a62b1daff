"""Verifies the audit log's hash chain: every entry, its place, and the end that the head remembers."""

import asyncio
from dataclasses import dataclass

from shared.audit import GENESIS, entry_hash, store
from shared.audit.store import Head, StoredEntry
from shared.db import Tx

# Entries that are read and hashed at a time: some milliseconds, in a thread of their own.
PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Chain:
    """`whole_until` is the last entry up to which everything fits; `fault` says what does not."""

    head_seq: int
    whole_until: int
    fault: str | None = None


async def verify_chain(tx: Tx) -> Chain:
    """Reads the whole log in the caller's snapshot."""
    head = await store.head(tx)
    end = Head(seq=0, entry_hash=GENESIS)
    while page := await store.entries_after(tx, end.seq, limit=PAGE):
        end, fault = await asyncio.to_thread(follow, end, page)
        if fault is not None:
            return Chain(head.seq, end.seq, fault)
    if end != head:
        fault = f"the log ends with entry {end.seq}, its head remembers entry {head.seq}"
        return Chain(head.seq, end.seq, fault if end.seq != head.seq else "the head's hash does not fit")
    return Chain(head.seq, end.seq)


def follow(end: Head, entries: list[StoredEntry]) -> tuple[Head, str | None]:
    """Follows the chain from `end`; returns how far it is whole, and the first thing that does not fit."""
    for stored in entries:
        if stored.seq != end.seq + 1:
            return end, f"entry {end.seq + 1} is missing"
        if stored.previous_hash != end.entry_hash:
            return end, f"entry {stored.seq} does not follow entry {end.seq}"
        if entry_hash(end.entry_hash, stored.seq, stored.at, stored.entry) != stored.entry_hash:
            return end, f"entry {stored.seq} was changed"
        end = Head(seq=stored.seq, entry_hash=stored.entry_hash)
    return end, None
