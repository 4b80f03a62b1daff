"""Two clerks who bring the same questions at once add them once."""

import asyncio

from sqlalchemy import text

from services.issuance.questions.schemas import QuestionDraft
from services.issuance.wiring import build
from shared.identity.staff import Role
from shared.kit import Kit
from tests.support.campaigns import publish_campaign
from tests.support.people import staff_member

CLERKS, QUESTIONS = 6, 40


async def test_questions_that_come_twice_at_once_are_in_the_bank_once(kit: Kit) -> None:
    campaign = await publish_campaign(kit)
    clerk, questions = await staff_member(kit, Role.OPERATOR), build(kit).questions
    drafts = [
        QuestionDraft(text=f"第 {n} 题", options={"A": "是", "B": "否"}, answer=["A"])
        for n in range(QUESTIONS)
    ]
    header = "text,option_a,option_b,answer\n"
    table = header + "".join(f"第 {n} 题,是,否,A\n" for n in range(QUESTIONS))
    by_hand = [questions.add(clerk, campaign.slug, drafts, None) for _ in range(CLERKS)]
    by_file = [questions.import_file(clerk, campaign.slug, table.encode(), dry_run=False) for _ in range(2)]
    answers, reports = await asyncio.gather(asyncio.gather(*by_hand), asyncio.gather(*by_file))
    accepted = [answer.body["accepted"] for answer in answers] + [report.accepted for report in reports]
    assert sorted(accepted) == [0] * (CLERKS + 1) + [QUESTIONS]
    async with kit.database.snapshot() as tx:
        found = await tx.execute(
            text("SELECT count(*) FROM issuance.question WHERE campaign_id = :id"), {"id": campaign.id}
        )
        assert found.scalar_one() == QUESTIONS
