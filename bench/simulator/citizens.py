"""A citizen: signs in, takes the quiz, draws, chooses a voucher. Knows the answers when it should pass."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bench.simulator.persons import person_name, resident_id
from bench.simulator.platform import Platform, Refused, bearer, request_no

CONSENT_VERSION = "2020-10"
# How much more a question's hardness decides than chance who errs where.
_HARDNESS_WEIGHT = 3


class AnswerKey:
    """The right answers by the texts of question and options (the platform shuffles the letters)."""

    def __init__(self, questions: Sequence[Mapping[str, Any]]) -> None:
        self._right = {
            question["text"]: frozenset(question["options"][letter] for letter in question["answer"])
            for question in questions
        }

    @staticmethod
    def hardness(question: Mapping[str, Any]) -> float:
        """How hard people find it, from 0 to 1: invented, and always the same for a text."""
        return zlib.crc32(question["text"].encode()) / (1 << 32)

    def letters(self, question: Mapping[str, Any], *, right: bool) -> list[str]:
        """The letters to tick: all the right ones, or a choice that is surely wrong."""
        wanted = self._right[question["text"]]
        good = [option["key"] for option in question["options"] if option["text"] in wanted]
        if right:
            return good
        bad = [option["key"] for option in question["options"] if option["text"] not in wanted]
        return bad[:1] or good[:1]


@dataclass(slots=True)
class Citizen:
    platform: Platform
    number: int
    headers: dict[str, str] = field(default_factory=dict)
    verified: bool = False

    async def sign_in(self) -> None:
        body = {"provider": "demo", "code": f"citizen-{self.number}"}
        session = await self.platform.post("/issuance/v1/sessions", body)
        self.headers = bearer(session.body["access_token"])
        self.verified = bool(session.body["citizen"]["identity_verified"])

    async def bind_identity(self) -> None:
        body = {
            "name": person_name(self.number),
            "id_type": "resident_id",
            "id_number": resident_id(self.number),
            "consent_version": CONSENT_VERSION,
        }
        await self.platform.call("PUT", "/issuance/v1/me/identity", body=body, headers=self.headers)
        self.verified = True

    async def take_quiz(
        self, campaign: str, key: AnswerKey, *, should_pass: bool, rng: Random, slips: int = 0
    ) -> dict[str, Any]:
        """One attempt; a failing one has between one and all of its answers wrong beyond the mark.

        `slips` are the wrong answers of one who passes all the same.
        """
        start = await self.platform.post(
            f"/issuance/v1/campaigns/{campaign}/quiz-attempts",
            {"request_no": request_no()},
            headers=self.headers,
        )
        questions = start.body["questions"]
        # Three of ten wrong is below every published pass mark of 80; more is below all of them.
        wrong = slips if should_pass else rng.randint((len(questions) + 1) // 2, len(questions))
        # The hard ones first, but nobody errs quite like the others.
        by_hardness = sorted(
            range(len(questions)),
            key=lambda place: _HARDNESS_WEIGHT * key.hardness(questions[place]) + rng.random(),
        )
        spoiled = set(by_hardness[len(questions) - wrong :])
        answers = {
            question["id"]: key.letters(question, right=place not in spoiled)
            for place, question in enumerate(questions)
        }
        marked = await self.platform.post(
            f"/issuance/v1/quiz-attempts/{start.body['attempt_id']}/answers",
            {"request_no": request_no(), "answers": answers},
            headers=self.headers,
        )
        result: dict[str, Any] = marked.body
        return result

    async def draw(self, campaign: str) -> dict[str, Any]:
        body = {"request_no": request_no(), "client_seed": f"c{self.number}"}
        drawn = await self.platform.post(
            f"/issuance/v1/campaigns/{campaign}/draws", body, headers=self.headers
        )
        result: dict[str, Any] = drawn.body
        return result

    async def claim(self, award_id: str, wishes: Sequence[str]) -> dict[str, Any]:
        """Claims the first type of the wishes that is not out of stock."""
        for wish in wishes:
            try:
                claimed = await self.platform.post(
                    f"/issuance/v1/awards/{award_id}/claim",
                    {"request_no": request_no(), "voucher_type": wish},
                    headers=self.headers,
                )
            except Refused as refused:
                if refused.code != "out_of_stock":
                    raise
                continue
            voucher: dict[str, Any] = claimed.body
            return voucher
        raise LookupError(f"every wished type is out of stock: {', '.join(wishes)}")

    async def report(self, campaign: str, channel: str, evidence: Mapping[str, Any]) -> dict[str, Any]:
        """Takes part in another way than by the quiz: a share, a lead, a check-in."""
        body = {"request_no": request_no(), "channel": channel, "evidence": evidence}
        taken = await self.platform.post(
            f"/issuance/v1/campaigns/{campaign}/activities", body, headers=self.headers
        )
        result: dict[str, Any] = taken.body
        return result

    async def photo(self, jpeg: bytes) -> str:
        kept = await self.platform.upload(
            "/issuance/v1/photos", name="photo.jpg", content=jpeg, headers=self.headers
        )
        return str(kept.body["photo_id"])

    async def token(self, voucher_id: str) -> str:
        shown = await self.platform.get(f"/issuance/v1/me/vouchers/{voucher_id}/token", headers=self.headers)
        return str(shown["token"])
