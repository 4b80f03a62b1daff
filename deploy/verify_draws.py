#!/usr/bin/env python3
"""Recomputes a phase's draw log: `python3 verify_draws.py LOG [AUDIT.json …]`. Documented in docs/draws.md.

A value is HMAC-SHA256(seed, "{slug}/{seq}/{chance_id}/{client_seed}"), won if its first 8 bytes (big-endian)
are below floor(odds × 2^64). The chain begins with SHA-256("{slug}/{seq}/{seed_commitment}"); each draw line,
without its line feed, makes it SHA-256(chain + line). An hourly root is the chain behind so many draws.
"""

import hashlib
import hmac
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

HEAD = {"slug": str, "seq": int, "seed_commitment": str, "seed": str}
DRAW = {"chance_id": str, "client_seed": str, "odds": str, "value": str, "won": bool}
HASH, ODDS = re.compile(r"[0-9a-f]{64}"), re.compile(r"0\.[0-9]{0,5}[1-9]|1")
below = cache(lambda odds: Fraction(odds) * 2**64 // 1)


def read(line: bytes, fields: dict[str, type]) -> dict[str, Any]:
    """The line as an object with exactly these fields. Raises ValueError."""
    try:
        found = dict(pairs := json.loads(line.decode(), object_pairs_hook=list))
    except (ValueError, TypeError, RecursionError):
        raise ValueError("is not a JSON object") from None
    if len(pairs) != len(fields) or any(type(found.get(name)) is not kind for name, kind in fields.items()):
        raise ValueError(f"must have {', '.join(fields)}")
    return found


class Log:
    """What is known of a log in front of its first draw, and the chain as far as it was read."""

    def __init__(self, head: dict[str, Any], phases: list[Any]) -> None:
        self.seed = bytes.fromhex(head["seed"]) if HASH.fullmatch(head["seed"]) else b""
        self.prefix = f"{head['slug']}/{head['seq']}/"
        self.chain = hashlib.sha256((self.prefix + head["seed_commitment"]).encode(errors="replace")).digest()
        self.closed = [phase for phase in phases if phase["seed"]]
        self.announced = {version["odds"] for phase in self.closed for version in phase["odds_versions"]}
        roots = {(root["draws"], root["root"], root["at"]) for phase in phases for root in phase["log_roots"]}
        self.due, self.sealed = sorted(roots, reverse=True), max((draws for draws, _, _ in roots), default=0)

    def recompute(self, draw: dict[str, Any]) -> None:
        if not ODDS.fullmatch(draw["odds"]) or (self.announced and draw["odds"] not in self.announced):
            raise ValueError(f"{draw['odds']!r} are not odds that were announced")
        message = f"{self.prefix}{draw['chance_id']}/{draw['client_seed']}".encode(errors="surrogatepass")
        if draw["value"] != (value := hmac.digest(self.seed, message, "sha256")).hex():
            raise ValueError(f"value is {draw['value']}, recomputed {value.hex()}")
        if draw["won"] != (won := int.from_bytes(value[:8], "big") < below(draw["odds"])):
            raise ValueError(f"won is {draw['won']}, recomputed {won}")

    def differing(self, draws: int) -> Iterator[str]:
        """Goes on from what was published, so that a fault is told of in its own hour only."""
        while self.due and self.due[-1][0] == draws:
            _, root, at = self.due.pop()
            if root != self.chain.hex():
                yield f"line {draws + 1}: the root of {at} is not the one of these lines"
                self.chain = bytes.fromhex(root) if HASH.fullmatch(root) else self.chain


def findings(lines: Iterable[bytes], audits: Sequence[Any] = ()) -> Iterator[str]:
    """What is wrong with a log; nothing when all is well."""
    numbered, drawn_on, draws = enumerate(lines), dict[str, int](), 0
    try:
        head = read(next(numbered, (0, b""))[1], HEAD)
    except ValueError as wrong:
        yield f"line 1: {wrong}"
        return
    phases = [phase for audit in audits for phase in audit["phases"] if phase["seq"] == head["seq"]]
    log = Log(head, phases)
    promised = {phase["seed_commitment"] for phase in phases} | {hashlib.sha256(log.seed).hexdigest()}
    if promised != {head["seed_commitment"]} or len(phases) != len(audits):
        yield "line 1: the seed is not the one that was promised for this phase"
    yield from log.differing(0)
    for draws, line in numbered:
        log.chain = hashlib.sha256(log.chain + line.removesuffix(b"\n")).digest()
        try:
            log.recompute(draw := read(line, DRAW))
            if (before := drawn_on.setdefault(draw["chance_id"], draws)) != draws:
                yield f"line {draws + 1}: this chance was drawn on line {before + 1} already"
        except ValueError as wrong:
            yield f"line {draws + 1}: {wrong}"
        yield from log.differing(draws)
    told = {log.sealed, *(phase["draws"] for phase in log.closed)}
    if log.due or (log.closed and told != {draws}):
        yield f"the log has {draws} draws, the audit tells of {max(told)}"


if __name__ == "__main__":
    with Path(sys.argv[1]).open("rb") as file:
        found = list(findings(file, [json.loads(Path(audit).read_bytes()) for audit in sys.argv[2:]]))
    sys.stdout.write("".join(f"{each}\n" for each in found) or "every draw is as published\n")
    sys.exit(1 if found else 0)
