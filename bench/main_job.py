"""Measures the hot calls of the main job on a stack of its own, beside pgbench on the same database.

The citizens of the run live a whole life: quiz, draw, claim, write-off. Each step is a measured closed
loop whose answers the next step builds on, so that no row is made that the platform would not make, and
the run ends with the integrity check.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from bench.load import Outcome, closed_loop
from bench.scenarios.honghe_plan import shifted
from bench.simulator.cashiers import Till, activated
from bench.simulator.citizens import AnswerKey, Citizen
from bench.simulator.clerks import Clerks
from bench.simulator.platform import Platform, request_no
from bench.store import redeem_bare
from bench.wire import request_bytes
from shared.crypto import KeyedHash
from shared.signing import authorization

CONNECTIONS = 64
# Few, so that each does enough transactions for its first, which plans the functions, not to count.
PGBENCH_CLIENTS = 8
_TYPE = "general_50"
_RUN_SECONDS_MAX = 120.0
_ROUNDS = 3
_TILLS = 8

Stage = Callable[[str, int], Callable[[int], None]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One hot call: successful answers a second, and latencies in seconds."""

    name: str
    rate: float
    p50: float
    p99: float
    ratio: float | None = None
    note: str = ""


@dataclass(slots=True)
class Results:
    rows: list[Measured] = field(default_factory=list)
    integrity_ok: bool = False

    def as_json(self) -> dict[str, Any]:
        rows = [
            {
                "name": row.name,
                "per_second": round(row.rate),
                "p50_ms": round(row.p50 * 1000, 2),
                "p99_ms": round(row.p99 * 1000, 2),
                "ratio_to_pgbench": None if row.ratio is None else round(row.ratio, 2),
                "note": row.note,
            }
            for row in self.rows
        ]
        return {"integrity_ok": self.integrity_ok, "rows": rows}


class Void(Exception):
    """A run in which something else happened than was asked for; its figures mean nothing."""


def _measured(name: str, outcome: Outcome, status: int, expected: int) -> Measured:
    if outcome.statuses[status] != expected or outcome.lost_connections:
        raise Void(f"{name}: {expected} answers {status} were due, seen: {dict(outcome.statuses)}")
    return Measured(name, outcome.rate(status), outcome.quantile(0.5), outcome.quantile(0.99))


@dataclass(slots=True)
class MainJob:
    """`database_url` is for pgbench, which runs over the same schema and data."""

    platform: Platform
    clerks: Clerks
    port: int
    database_url: str
    index: KeyedHash
    definition: dict[str, Any]
    questions: Sequence[dict[str, Any]]
    stage: Stage
    results: Results = field(default_factory=Results)

    async def run(self, citizens: int) -> Results:
        campaign = await self._publish(citizens)
        people = await self._sign_in(citizens)
        attempts = await self._start(campaign, people)
        await self._submit(people, attempts)
        awards = await self._draw(campaign, people)
        codes = await self._claim(people, awards)
        await self._redeem(campaign, codes)
        report = await self.clerks.integrity()
        self.results.integrity_ok = bool(report["ok"])
        return self.results

    async def _publish(self, citizens: int) -> str:
        """The model campaign, made certain: every draw wins and there is a voucher for everybody."""
        campaign = shifted(self.definition, await self.clerks.clock(), f"bench-{secrets.token_hex(4)}")
        first = campaign["phases"][0]
        first |= {"odds": 1, "stock": {_TYPE: citizens}}
        campaign |= {"phases": [first], "budget_fen": citizens * 10_000}
        await self.clerks.load_campaign(campaign, self.questions)
        await self.clerks.move_clock(datetime.fromisoformat(first["opens_at"]) + timedelta(minutes=1))
        return str(campaign["slug"])

    async def _sign_in(self, citizens: int) -> list[Citizen]:
        advance = self.stage("citizens", citizens)
        base = secrets.randbelow(9_000_000) + 2_000_000
        people = [Citizen(self.platform, base + number) for number in range(citizens)]
        for citizen in people:
            await citizen.sign_in()
            await citizen.bind_identity()
            advance(1)
        return people

    async def _loop(self, name: str, requests: Sequence[bytes], status: int) -> Outcome:
        advance = self.stage(name, len(requests))
        outcome = await closed_loop(
            port=self.port,
            requests=requests,
            connections=CONNECTIONS,
            seconds=_RUN_SECONDS_MAX,
            keep_bodies=True,
        )
        self.results.rows.append(_measured(name, outcome, status, len(requests)))
        advance(len(requests))
        return outcome

    def _post(self, path: str, body: object, headers: dict[str, str]) -> bytes:
        content = json.dumps(body, ensure_ascii=False).encode()
        return self._prepared(path, headers, content)

    async def _start(self, campaign: str, people: Sequence[Citizen]) -> list[dict[str, Any]]:
        path = f"/issuance/v1/campaigns/{campaign}/quiz-attempts"
        requests = [self._post(path, {"request_no": request_no()}, citizen.headers) for citizen in people]
        outcome = await self._loop("quiz start", requests, 201)
        return [json.loads(outcome.bodies[place]) for place in range(len(people))]

    async def _submit(self, people: Sequence[Citizen], attempts: Sequence[dict[str, Any]]) -> None:
        key = AnswerKey(self.questions)
        requests = [
            self._post(
                f"/issuance/v1/quiz-attempts/{attempt['attempt_id']}/answers",
                {
                    "request_no": request_no(),
                    "answers": {q["id"]: key.letters(q, right=True) for q in attempt["questions"]},
                },
                citizen.headers,
            )
            for citizen, attempt in zip(people, attempts, strict=True)
        ]
        await self._loop("quiz submit", requests, 200)

    async def _draw(self, campaign: str, people: Sequence[Citizen]) -> list[str]:
        path = f"/issuance/v1/campaigns/{campaign}/draws"
        requests = [self._post(path, {"request_no": request_no()}, citizen.headers) for citizen in people]
        outcome = await self._loop("draw", requests, 201)
        return [json.loads(outcome.bodies[place])["award"]["id"] for place in range(len(people))]

    async def _claim(self, people: Sequence[Citizen], awards: Sequence[str]) -> list[str]:
        requests = [
            self._post(
                f"/issuance/v1/awards/{award}/claim",
                {"request_no": request_no(), "voucher_type": _TYPE},
                citizen.headers,
            )
            for citizen, award in zip(people, awards, strict=True)
        ]
        outcome = await self._loop("claim on one hot type", requests, 201)
        return [json.loads(outcome.bodies[place])["code"] for place in range(len(people))]

    async def _redeem(self, campaign: str, codes: Sequence[str]) -> None:
        """Pairs of HTTP and pgbench in turn on equal shares of the vouchers; the median pair counts."""
        tills = await self._tills(campaign)
        share = len(codes) // (2 * _ROUNDS)
        each = share // PGBENCH_CLIENTS
        pairs: list[tuple[Measured, float]] = []
        advance = self.stage("write-off, HTTP beside pgbench", _ROUNDS)
        for place in range(_ROUNDS):
            ours = codes[2 * place * share : (2 * place + 1) * share]
            theirs = codes[(2 * place + 1) * share :][: each * PGBENCH_CLIENTS]
            outcome = await closed_loop(
                port=self.port,
                requests=[self._signed(tills[n % len(tills)], code) for n, code in enumerate(ours)],
                connections=CONNECTIONS,
                seconds=_RUN_SECONDS_MAX,
            )
            bare = await redeem_bare(
                self.database_url,
                codes=theirs,
                key_ids=[till.client.terminal_id for till in tills],
                index=self.index,
                clients=PGBENCH_CLIENTS,
            )
            pairs.append((_measured("write-off", outcome, 201, len(ours)), bare))
            advance(1)
        ratios = sorted(http.rate / bare for http, bare in pairs)
        middle = min(pairs, key=lambda pair: abs(pair[0].rate / pair[1] - median(ratios)))
        http, bare = middle
        note = f"pgbench {bare:,.0f}/s; ratios {ratios[0]:.2f}–{ratios[-1]:.2f} over {_ROUNDS} pairs"
        self.results.rows.append(
            Measured(http.name, http.rate, http.p50, http.p99, ratio=median(ratios), note=note)
        )

    async def _tills(self, campaign: str) -> list[Till]:
        """Terminals of one shop that takes the type; several, so that none is the bottleneck."""
        shop = {"name": "示例·压测商户", "category": "general_merchant", "accepts": [_TYPE]}
        ids = await self.clerks.load_institutions(campaign, [shop], lambda _: None)
        now = await self.clerks.clock()
        return [
            await activated(
                self.platform,
                await self.clerks.activation_code(ids[0], f"till {number}"),
                device_id=f"bench-{number}",
                now=lambda: now,
            )
            for number in range(_TILLS)
        ]

    def _signed(self, till: Till, code: str) -> bytes:
        path = "/redemption/v1/redemptions"
        body = {"request_no": request_no(), "voucher": code, "bill_fen": 5_000}
        content = json.dumps(body).encode()
        header = authorization(
            key_id=till.client.terminal_id,
            key=till.client.terminal_key,
            method="POST",
            target=path,
            timestamp=int(till.now().timestamp()),
            nonce=secrets.token_urlsafe(12),
            body=content,
        )
        return self._prepared(path, {"Authorization": header}, content)

    def _prepared(self, path: str, headers: Mapping[str, str], content: bytes) -> bytes:
        given = {**headers, "Content-Type": "application/json"}
        return request_bytes("POST", path, host=f"127.0.0.1:{self.port}", headers=given, body=content)
