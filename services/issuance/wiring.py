"""The one place where issuance's parts are put together; used by app, worker, command line and tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.issuance.accounts.operations import Accounts
from services.issuance.campaigns.operations import Campaigns
from services.issuance.changes.operations import Changes
from services.issuance.lottery.operations import DrawAudits, Lottery
from services.issuance.questions.operations import Questions
from services.issuance.quiz.operations import Quizzes
from services.issuance.wallet.operations import Wallet
from shared.approvals import Approvals
from shared.kit import Kit
from shared.ratelimit import RateLimiter, build_limiter
from shared.signin import providers_of

SERVICE = "issuance"


@dataclass(frozen=True, slots=True)
class Wiring:
    kit: Kit
    approvals: Approvals
    accounts: Accounts
    campaigns: Campaigns
    changes: Changes
    questions: Questions
    limiter: RateLimiter
    quizzes: Quizzes
    lottery: Lottery
    draw_audits: DrawAudits
    wallet: Wallet

    @asynccontextmanager
    async def draining(self) -> AsyncIterator[None]:
        """A lifespan of the app: at its end, what waits in a batch is still answered."""
        try:
            yield
        finally:
            await self.quizzes.drain()
            await self.lottery.drain()
            await self.wallet.drain()


def build(kit: Kit) -> Wiring:
    """Raises SettingsMissing."""
    campaigns, changes = Campaigns(kit, SERVICE), Changes(kit, SERVICE)
    appliers = {**campaigns.appliers, **changes.appliers}
    return Wiring(
        kit=kit,
        approvals=Approvals(SERVICE, kit.database, kit.clock, appliers),
        accounts=Accounts(kit, providers_of(kit.settings)),
        campaigns=campaigns,
        changes=changes,
        questions=Questions(kit),
        limiter=build_limiter(kit.settings),
        quizzes=Quizzes(kit),
        lottery=Lottery(kit),
        draw_audits=DrawAudits(kit, campaigns.reveal_seeds),
        wallet=Wallet(kit),
    )
