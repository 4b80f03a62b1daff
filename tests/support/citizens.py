"""Builders of citizens and of what they hold. They write below the services, as the services would."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import insert, text

from services.issuance.lottery.tables import ChanceRow
from services.issuance.questions.tables import QuestionRow
from shared.crypto import bucket_of
from shared.identity.citizens import Citizen, CitizenTokens
from shared.identity.lifetimes import citizen_token_life
from shared.identity.tables import AccountRow, PersonIdentityRow, PersonRow
from shared.ids import HotId, new_id
from shared.kit import Kit
from tests.support.campaigns import Published

RIGHT = "对"


@dataclass(frozen=True, slots=True)
class Person:
    address: HotId
    citizen: Citizen
    headers: dict[str, str]


def request_no() -> str:
    return secrets.token_hex(8)


async def new_person(kit: Kit, *, verified: bool = True) -> Person:
    """Somebody who signed in, and bound an identity unless told otherwise."""
    account_id, person_id, now = new_id(), new_id(), kit.clock.now()
    subject = kit.keys.index.digest("test-subject", account_id.hex)
    address = HotId(bucket_of(subject), person_id)
    async with kit.database.transaction() as tx:
        await tx.execute(
            insert(PersonRow).values(
                bucket=address.bucket, id=person_id, created_at=now, verified_at=now if verified else None
            )
        )
        await tx.execute(
            insert(AccountRow).values(
                id=account_id,
                provider="demo",
                subject_hash=subject,
                subject_sealed=b"sealed",
                bucket=address.bucket,
                person_id=person_id,
                created_at=now,
            )
        )
        if verified:
            await tx.execute(
                insert(PersonIdentityRow).values(
                    identity_hash=subject, bucket=address.bucket, person_id=person_id, account_id=account_id
                )
            )
    tokens = CitizenTokens(kit.keys.token)
    token = tokens.issue(
        account_id=account_id,
        bucket=address.bucket,
        person_id=person_id,
        now=now,
        life=citizen_token_life(kit.settings),
    )
    return Person(address, tokens.read(token, now), {"Authorization": f"Bearer {token}"})


async def fill_bank(kit: Kit, campaign: Published, count: int = 20, *, multiple_every: int = 4) -> list[int]:
    """Questions of three difficulties whose right options begin with RIGHT; returns their ids."""
    rows = []
    for number in range(1, count + 1):
        several = number % multiple_every == 0
        options = {"A": f"{RIGHT}{number}a", "B": "错", "C": f"{RIGHT}{number}c" if several else "不对"}
        options["D"] = "也错"
        rows.append(
            {
                "campaign_id": campaign.id,
                "text": f"第 {number} 题",
                "options": options,
                "answer": ["A", "C"] if several else ["A"],
                "explanation": f"解析 {number}",
                "difficulty": number % 3 + 1,
                "content_hash": hashlib.sha256(secrets.token_bytes(8)).digest(),
                "created_at": kit.clock.now(),
            }
        )
    async with kit.database.transaction() as tx:
        found = await tx.execute(insert(QuestionRow).returning(QuestionRow.id), rows)
        await tx.execute(
            text(
                "UPDATE issuance.campaign_rules SET bank_version = bank_version + 1 WHERE campaign_id = :id"
            ),
            {"id": campaign.id},
        )
        return list(found.scalars())


async def give_chances(
    kit: Kit, person: Person, campaign: Published, count: int = 1, *, channel: str = "event"
) -> list[UUID]:
    """Chances as an activity would grant them, with the figure that goes with them."""
    rows = [
        {
            "bucket": person.address.bucket,
            "id": uuid4(),
            "campaign_id": campaign.id,
            "person_id": person.address.uuid,
            "channel": channel,
            "source_id": uuid4(),
            "source_no": 1,
            "granted_at": kit.clock.now(),
        }
        for _ in range(count)
    ]
    async with kit.database.transaction() as tx:
        await tx.execute(insert(ChanceRow), rows)
        await tx.execute(
            text("""
                INSERT INTO core.tally_delta (scope_id, day, measure, dim, n)
                SELECT :campaign, CAST(:now AS timestamptz) AT TIME ZONE timezone, 'chance', :channel, :n
                FROM core.campaign WHERE id = :campaign
            """),
            {"campaign": campaign.id, "now": kit.clock.now(), "channel": channel, "n": count},
        )
    return [row["id"] for row in rows]  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Hands:
    """What a person does over HTTP."""

    client: httpx.AsyncClient
    person: Person

    async def start(self, slug: str, number: str | None = None) -> httpx.Response:
        body = {"request_no": number or request_no()}
        return await self._post(f"/issuance/v1/campaigns/{slug}/quiz-attempts", body)

    async def submit(
        self, attempt_id: str, answers: Mapping[str, Sequence[str]], number: str | None = None
    ) -> httpx.Response:
        body = {"request_no": number or request_no(), "answers": answers}
        return await self._post(f"/issuance/v1/quiz-attempts/{attempt_id}/answers", body)

    async def draw(
        self, slug: str, number: str | None = None, client_seed: str | None = None
    ) -> httpx.Response:
        body = {"request_no": number or request_no()}
        if client_seed is not None:
            body["client_seed"] = client_seed
        return await self._post(f"/issuance/v1/campaigns/{slug}/draws", body)

    async def claim(self, award_id: str, voucher_type: str, number: str | None = None) -> httpx.Response:
        body = {"request_no": number or request_no(), "voucher_type": voucher_type}
        return await self._post(f"/issuance/v1/awards/{award_id}/claim", body)

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(f"/issuance/v1{path}", headers=self.person.headers)

    async def pass_quiz(self, slug: str) -> dict[str, Any]:
        started = await self.start(slug)
        assert started.status_code == 201, started.text
        attempt = started.json()
        marked = await self.submit(attempt["attempt_id"], right_answers(attempt))
        assert marked.status_code == 200, marked.text
        mark: dict[str, Any] = marked.json()
        return mark

    async def win(self, slug: str) -> str:
        """The award of a draw that wins (odds of 1)."""
        drawn = await self.draw(slug)
        assert drawn.status_code == 201, drawn.text
        return str(drawn.json()["award"]["id"])

    async def _post(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        return await self.client.post(path, json=body, headers=self.person.headers)


def right_answers(attempt: Mapping[str, Any], *, wrong: int = 0) -> dict[str, list[str]]:
    """Answers to an attempt over `fill_bank`'s questions, the first `wrong` of them wrong."""
    return {
        question["id"]: [
            option["key"]
            for option in question["options"]
            if option["text"].startswith(RIGHT) == (place >= wrong)
        ]
        for place, question in enumerate(attempt["questions"])
    }
