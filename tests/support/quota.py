"""What tests of quota need again and again: staff, a programme with hospitals, a card platform that signs."""

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

import httpx

from services.quota.programmes.store import programme_by_slug
from shared.clock import Clock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.metrics.jobs import fold_tallies
from shared.metrics.store import figures
from shared.signing import authorization
from tests.support.people import signed_in_staff

API = "/quota/v1"

# Whatever a JSON document holds.
Json: TypeAlias = Any


def definition(slug: str, **changes: Json) -> dict[str, Any]:
    return {
        "slug": slug,
        "title": "发卡任务",
        "timezone": "Asia/Shanghai",
        "target_cards": 1000,
        "issued_before": {"as_of": "2020-07-31", "cards": 100},
        "remaining_exact": 900,
        **changes,
    }


def sheet(*rows: Sequence[object], header: str = "alliance,hospital,visits_2019") -> bytes:
    return "\n".join([header, *(",".join(str(cell) for cell in row) for row in rows)]).encode()


BUSY = 503
_TRIES = 5


@dataclass(slots=True)
class Bureau:
    """Two operators, an administrator, an auditor, and a client of the service."""

    client: httpx.AsyncClient
    kit: Kit
    operator: dict[str, str]
    second: dict[str, str]
    admin: dict[str, str]
    auditor: dict[str, str]

    async def get(self, path: str, *, status: int = 200, headers: dict[str, str] | None = None) -> Json:
        answer = await self.client.get(f"{API}/{path}", headers=headers or self.operator)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post(
        self, path: str, body: object, *, status: int = 201, headers: dict[str, str] | None = None
    ) -> Json:
        for _ in range(_TRIES):
            answer = await self.client.post(f"{API}/{path}", json=body, headers=headers or self.operator)
            # On busy cores an act may run out of its time; nothing has happened then, and clients ask again.
            if answer.status_code != BUSY or status == BUSY:
                break
        assert answer.status_code == status, answer.text
        return answer.json()

    async def upload(
        self,
        path: str,
        content: bytes,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **fields: Json,
    ) -> Json:
        answer = await self.client.post(
            f"{API}/{path}",
            files={"file": ("table.csv", content)},
            data=fields,
            headers=headers or self.operator,
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    async def approved(self, path: str, body: object) -> str:
        """Proposes and has somebody else approve; returns the change's id."""
        change_id: str = (await self.post(path, body, status=202))["change_id"]
        await self.post(f"changes/{change_id}/approve", {}, status=200, headers=self.second)
        return change_id

    async def fold(self) -> None:
        """What the worker does every two seconds."""
        await fold_tallies(self.kit.database).run()

    async def programme(
        self, slug: str, *rows: Sequence[object], total: int | None = None, **changes: Json
    ) -> "Programme":
        """A programme with these hospitals (alliance, hospital, visits), allocated when a total is given."""
        await self.post("programmes", definition(slug, **changes))
        listed = rows or [("A", "甲", 600), ("A", "乙", 300), ("", "丙", 100)]
        await self.upload(f"programmes/{slug}/hospitals/import", sheet(*listed))
        key = await self.post(f"programmes/{slug}/platform-keys", {"label": "p"}, headers=self.admin)
        items = (await self.get(f"programmes/{slug}/hospitals?limit=200"))["items"]
        made = Programme(self, slug, Signer(self.client, self.kit.clock, **key), items)
        if total is not None:
            await made.allocate(total)
        return made


@dataclass(slots=True)
class Signer:
    """The card platform."""

    client: httpx.AsyncClient
    clock: Clock
    key_id: str
    key: str

    async def post(
        self,
        path: str,
        body: object,
        *,
        nonce: str | None = None,
        skew: int = 0,
        client: httpx.AsyncClient | None = None,
    ) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        header = authorization(
            key_id=self.key_id,
            key=self.key,
            method="POST",
            target=f"{API}/{path}",
            timestamp=int(self.clock.now().timestamp()) + skew,
            nonce=nonce or secrets.token_hex(8),
            body=content,
        )
        return await (client or self.client).post(
            f"{API}/{path}",
            content=content,
            headers={"Authorization": header, "Content-Type": "application/json"},
        )


@dataclass(slots=True)
class Programme:
    bureau: Bureau
    slug: str
    platform: Signer
    hospitals: list[dict[str, Any]]

    @property
    def path(self) -> str:
        return f"programmes/{self.slug}"

    def scene(self, hospital: str) -> str:
        return str(self.hospital(hospital)["scene"])

    def id(self, hospital: str) -> str:
        return str(self.hospital(hospital)["hospital_id"])

    def hospital(self, name: str) -> dict[str, Any]:
        return next(item for item in self.hospitals if item["hospital"] == name)

    async def allocate(
        self, total: int, *adjustments: dict[str, Any], method: str = "largest_remainder"
    ) -> None:
        body = {"total": total, "method": method, "adjustments": list(adjustments), "reason": "下达任务"}
        await self.bureau.approved(f"{self.path}/allocations", body)

    async def send(self, *events: dict[str, Any]) -> list[str]:
        """Sends one batch; returns the outcomes."""
        answer = await self.platform.post(f"{self.path}/card-events", {"events": events})
        assert answer.status_code == 200, answer.text
        results = answer.json()["results"]
        assert [result["event_id"] for result in results] == [event["event_id"] for event in events]
        return [result["outcome"] for result in results]

    async def row_id(self) -> UUID:
        async with self.bureau.kit.database.snapshot() as tx:
            found = await programme_by_slug(tx, self.slug)
        assert found is not None
        return found.id

    async def progress(self) -> Json:
        return await self.bureau.get(f"{self.path}/progress")

    async def issued(self) -> dict[str, int]:
        """Issued cards by hospital name; empty name: unattributed. Hospitals without cards left out."""
        progress = await self.progress()
        counted = {item["hospital"]: item["issued"] for item in progress["items"]}
        counted[""] = progress["unattributed"]
        return {name: issued for name, issued in counted.items() if issued}

    async def ranking(self, month: str) -> Json:
        return await self.bureau.get(f"{self.path}/rankings?month={month}")

    async def month_issued(self, month: str) -> dict[str, int]:
        return {item["hospital"]: item["month_issued"] for item in (await self.ranking(month))["items"]}

    async def figures(self, *measures: str) -> list[tuple[str, str, str, int]]:
        """The tallies as they are stored: (measure, day, hospital name, n), zero sums left out."""
        kit = self.bureau.kit
        names = {item["hospital_id"]: item["hospital"] for item in self.hospitals}
        async with kit.database.snapshot() as tx:
            programme = await programme_by_slug(tx, self.slug)
            assert programme is not None
            found = await figures(tx, [programme.id], list(measures))
        return sorted(
            (figure.measure, figure.day.isoformat(), names.get(figure.dim, figure.dim), figure.n)
            for figure in found
            if figure.n
        )


async def bureau_of(client: httpx.AsyncClient, kit: Kit) -> Bureau:
    return Bureau(
        client,
        kit,
        operator=await signed_in_staff(kit, Role.OPERATOR),
        second=await signed_in_staff(kit, Role.OPERATOR),
        admin=await signed_in_staff(kit, Role.ADMIN),
        auditor=await signed_in_staff(kit, Role.AUDITOR),
    )


def event(number: object, at: str = "2020-08-10T10:00:00+08:00", **changes: Json) -> dict[str, Any]:
    """An `issued` event of a person of its own, unless told otherwise."""
    return {
        "event_id": f"e-{number}",
        "holder_ref": f"holder-{number}",
        "kind": "issued",
        "at": at if "T" in at else f"{at}T10:00:00+08:00",
        **changes,
    }


def issued(
    programme: Programme,
    hospital: str | None,
    number: object,
    holder: object,
    at: str,
    *,
    kind: str = "issued",
) -> dict[str, Any]:
    scene = {} if hospital is None else {"scene": programme.scene(hospital)}
    return {**event(number, at, kind=kind, holder_ref=f"holder-{holder}"), **scene}


def many(
    programme: Programme, hospital: str, count: int, at: str, *, first: int = 0
) -> Iterable[dict[str, Any]]:
    return [
        issued(programme, hospital, f"{hospital}-{at}-{n}", f"{hospital}-{at}-{n}", at)
        for n in range(first, first + count)
    ]
