"""Builders of public draw logs with their audits, in plain Python: what the platform has to publish."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

SEED = hashlib.sha256(b"a phase's seed").digest()
COMMITMENT = hashlib.sha256(SEED).hexdigest()
CLIENT_SEEDS = ["", "c1", "红河/州", "🎲", 'a"b\\c', " \x20", "é\u2028"]
# Draws of each hour; one hour has none.
HOURS = (0, 7, 12, 0, 15, 6)
DRAWS = sum(HOURS)


def draw(number: int, odds: str = "0.2", *, seed: bytes = SEED) -> dict[str, Any]:
    chance_id, client_seed = f"T0{number:032x}", CLIENT_SEEDS[number % len(CLIENT_SEEDS)]
    value = hmac.new(seed, f"honghe-2020/1/{chance_id}/{client_seed}".encode(), hashlib.sha256).digest()
    won = int.from_bytes(value[:8], "big") < int(Fraction(odds) * 2**64)
    return {
        "chance_id": chance_id, "client_seed": client_seed, "odds": odds, "value": value.hex(), "won": won
    }  # fmt: skip


def line(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass") + b"\n"


@dataclass(frozen=True, slots=True)
class Log:
    lines: list[bytes]
    audit: dict[str, Any]

    def running(self, hours: int) -> dict[str, Any]:
        """The audit as it stood so many hours after the phase had opened."""
        phase = self.audit["phases"][0]
        roots = phase["log_roots"][:hours]
        return {
            "phases": [
                phase | {"log_roots": roots, "draws": roots[-1]["draws"] + 3, "seed": None, "log_url": None}
            ]
        }


def log_of(draws: Sequence[dict[str, Any]], hours: Sequence[int] = HOURS) -> Log:
    head = {"slug": "honghe-2020", "seq": 1, "seed_commitment": COMMITMENT, "seed": SEED.hex()}
    chain = hashlib.sha256(f"honghe-2020/1/{COMMITMENT}".encode()).digest()
    lines, roots, rest = [line(head)], [], iter(draws)
    for hour, count in enumerate(hours):
        for _ in range(count):
            lines.append(line(next(rest)))
            chain = hashlib.sha256(chain + lines[-1].removesuffix(b"\n")).digest()
        roots.append(
            {"at": f"2020-10-31T{hour + 12}:00:00+08:00", "root": chain.hex(), "draws": len(lines) - 1}
        )
    odds = sorted({each["odds"] for each in draws})
    versions = [{"odds": each, "from": "2020-10-30T09:00:00+08:00"} for each in odds]
    phase = {
        "seq": 1, "seed_commitment": COMMITMENT, "odds_versions": versions, "draws": len(lines) - 1,
        "log_roots": roots, "seed": SEED.hex(), "log_url": "/log",
    }  # fmt: skip
    return Log(lines, {"phases": [phase]})


def sound_log(odds: str = "0.2", *, later_odds: str | None = None) -> Log:
    """`later_odds` are those of the second half."""
    half = DRAWS // 2
    return log_of([draw(n, odds if n < half else later_odds or odds) for n in range(DRAWS)])
