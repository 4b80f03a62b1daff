#!/usr/bin/env python3
"""Recomputes every draw of a phase from its public log. Needs nothing but Python and this file.

    python3 verify_draws.py FILE [--commitment HEX] [--odds 0.2 0.4] [--draws N]

A phase's log is JSON lines: first the phase {slug, seq, seed_commitment, seed}, then its draws {chance_id,
client_seed, odds, value, won}. A draw's value is HMAC-SHA256(seed, "{slug}/{seq}/{chance_id}/{client_seed}");
it wins when the first 8 bytes of the value, as a big-endian integer, are below floor(odds × 2^64).

A log cannot tell what was cut off its end, nor that another seed or other odds were promised. So give the
commitment that was published before the phase opened, and the odds and the number of draws of the audit.
"""

import argparse
import hashlib
import hmac
import json
import re
import sys
from collections.abc import Container, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

HEAD = {"slug": str, "seq": int, "seed_commitment": str, "seed": str}
DRAW = {"chance_id": str, "client_seed": str, "odds": str, "value": str, "won": bool}
SEED = re.compile(r"[0-9a-f]{64}")
ODDS = re.compile(r"0\.[0-9]{0,5}[1-9]|1")


class Wrong(Exception):
    """A line is not what it should be."""


def read(line: str, fields: dict[str, type]) -> dict[str, object]:
    """The line as an object with exactly these fields."""
    try:
        pairs = json.loads(line, object_pairs_hook=list)
        found = dict(pairs)
    except (ValueError, TypeError, RecursionError):
        raise Wrong("is not a JSON object") from None
    if len(pairs) != len(fields) or any(type(found.get(name)) is not kind for name, kind in fields.items()):
        raise Wrong("must have " + ", ".join(f"{name} ({kind.__name__})" for name, kind in fields.items()))
    return found


def recompute(draw: dict[str, object], seed: bytes, prefix: str, promised: Container[str]) -> None:
    odds = str(draw["odds"])
    if not ODDS.fullmatch(odds) or (promised and odds not in promised):
        raise Wrong(f"{odds!r} are not the odds that were promised")
    message = f"{prefix}{draw['chance_id']}/{draw['client_seed']}".encode(errors="surrogatepass")
    value = hmac.new(seed, message, hashlib.sha256).digest()
    if draw["value"] != value.hex():
        raise Wrong(f"value is {draw['value']}, recomputed {value.hex()}")
    won = int.from_bytes(value[:8], "big") < Fraction(odds) * 2**64 // 1
    if draw["won"] != won:
        raise Wrong(f"won is {draw['won']}, recomputed {won}")


def findings(
    lines: Iterable[str], commitment: str = "", odds: Container[str] = (), draws: int | None = None
) -> Iterator[str]:
    """What is wrong with a log; nothing when all is well."""
    numbered, drawn_on = enumerate(lines, 1), dict[object, int]()
    try:
        head = read(next(numbered, (1, ""))[1], HEAD)
    except Wrong as wrong:
        yield f"line 1: {wrong}"
        return
    seed = bytes.fromhex(str(head["seed"])) if SEED.fullmatch(str(head["seed"])) else b""
    if {hashlib.sha256(seed).hexdigest()} != {head["seed_commitment"], commitment or head["seed_commitment"]}:
        yield "line 1: the seed is not the one that was promised"
    for number, line in numbered:
        try:
            draw = read(line, DRAW)
            recompute(draw, seed, f"{head['slug']}/{head['seq']}/", odds)
        except Wrong as wrong:
            yield f"line {number}: {wrong}"
        else:
            if drawn_on.setdefault(draw["chance_id"], number) != number:
                yield f"line {number}: this chance was drawn on line {drawn_on[draw['chance_id']]} already"
    if draws not in (None, len(drawn_on)):
        yield f"the log has {len(drawn_on)} sound draws, the audit tells of {draws}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Recomputes every draw of a phase from its public log.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--commitment", default="")
    parser.add_argument("--odds", nargs="*", default=())
    parser.add_argument("--draws", type=int)
    given = parser.parse_args()
    with given.file.open(encoding="utf-8", errors="surrogateescape") as log:
        found = list(findings(log, given.commitment, given.odds, given.draws))
    sys.stdout.write("".join(f"{finding}\n" for finding in found) or "every draw is as published\n")
    sys.exit(1 if found else 0)
