"""The one place where issuance's parts are put together; used by app, worker, command line and tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prometheus_client import Metric

from services.issuance.accounts.operations import Accounts
from services.issuance.activities.operations import Activities
from services.issuance.attempts.operations import Attempts
from services.issuance.bank.operations import Bank
from services.issuance.calibration.operations import Calibration
from services.issuance.campaigns.operations import Campaigns
from services.issuance.changes.operations import Changes
from services.issuance.consents.operations import Consents
from services.issuance.deadletters.operations import DeadLetters
from services.issuance.deliveries.operations import Deliveries
from services.issuance.drawlog.operations import DrawLogs
from services.issuance.events.operations import Events
from services.issuance.exclusions.operations import Exclusions
from services.issuance.holds.operations import Holds, Sightings
from services.issuance.lottery.operations import Lottery
from services.issuance.monitoring.operations import Monitoring
from services.issuance.notices.operations import Notices
from services.issuance.openings.operations import Openings
from services.issuance.origins.operations import Origins
from services.issuance.phases.operations import Phases
from services.issuance.phones.operations import Phones
from services.issuance.photos.operations import Photos
from services.issuance.planning.operations import Planning
from services.issuance.preferences.operations import Preferences
from services.issuance.privacy.operations import Privacy
from services.issuance.questions.operations import Questions
from services.issuance.quiz.operations import Quizzes
from services.issuance.reporting.operations import Reporting
from services.issuance.reports.operations import Reports
from services.issuance.rescoring.operations import Rescoring
from services.issuance.retention.operations import Retention
from services.issuance.reveals.operations import Reveals
from services.issuance.reviews.operations import Reviews
from services.issuance.stock.operations import StockTaking
from services.issuance.templates.operations import papers_of_campaigns
from services.issuance.terms.operations import CampaignTerms
from services.issuance.today.operations import Days
from services.issuance.versions.operations import Versions
from services.issuance.vouchers.operations import Vouchers
from services.issuance.wallet.operations import Wallet
from shared.approvals import Approvals
from shared.jobs.awaited import AwaitedJobs
from shared.jobs.kinds import Queue
from shared.kit import Kit
from shared.messaging.setup import messengers_of
from shared.objects import objects_of
from shared.ratelimit import RateLimiter, build_limiter
from shared.sharing import ShareVerifier, share_verifier_of
from shared.signin import providers_of

SERVICE = "issuance"


@dataclass(frozen=True, slots=True)
class Wiring:
    kit: Kit
    approvals: Approvals
    awaited: AwaitedJobs
    accounts: Accounts
    campaigns: Campaigns
    changes: Changes
    phases: Phases
    terms: CampaignTerms
    stock: StockTaking
    versions: Versions
    questions: Questions
    bank: Bank
    limiter: RateLimiter
    quizzes: Quizzes
    attempts: Attempts
    lottery: Lottery
    draw_logs: DrawLogs
    wallet: Wallet
    vouchers: Vouchers
    activities: Activities
    events: Events
    exclusions: Exclusions
    holds: Holds
    sightings: Sightings
    openings: Openings
    origins: Origins
    days: Days
    photos: Photos
    consents: Consents
    privacy: Privacy
    reveals: Reveals
    retention: Retention
    reviews: Reviews
    share_verifier: ShareVerifier | None
    notices: Notices
    deliveries: Deliveries
    phones: Phones
    preferences: Preferences
    dead_letters: DeadLetters
    reporting: Reporting
    reports: Reports
    calibration: Calibration
    rescoring: Rescoring
    planning: Planning
    monitoring: Monitoring

    async def prometheus(self) -> list[Metric]:
        return [*await self.reporting.prometheus(), *await self.monitoring.prometheus()]

    @asynccontextmanager
    async def draining(self) -> AsyncIterator[None]:
        """A lifespan of the app: at its end, what waits in a batch is still answered."""
        try:
            yield
        finally:
            await self.quizzes.drain()
            await self.lottery.drain()
            await self.wallet.drain()
            await self.sightings.drain()
            await self.openings.drain()
            await self.origins.drain()


def build(kit: Kit) -> Wiring:
    """Raises SettingsMissing."""
    campaigns, changes = Campaigns(kit, SERVICE), Changes(kit, SERVICE)
    terms, phases = CampaignTerms(kit, SERVICE), Phases(kit, SERVICE)
    vouchers, wallet = Vouchers(kit, SERVICE), Wallet(kit)
    messengers = messengers_of(kit.settings)
    phones = Phones(kit, messengers)
    deliveries = Deliveries(kit, messengers, phones)
    proposing = (vouchers, campaigns, changes, terms, phases)
    appliers = {kind: apply for room in proposing for kind, apply in room.appliers.items()}
    share_verifier = share_verifier_of(kit.settings)
    photos = Photos(kit, objects_of(kit.settings))
    awaited = AwaitedJobs(kit, Queue.ISSUANCE)
    return Wiring(
        kit=kit,
        approvals=Approvals(SERVICE, kit.database, kit.clock, appliers),
        awaited=awaited,
        accounts=Accounts(kit, providers_of(kit.settings)),
        campaigns=campaigns,
        changes=changes,
        phases=phases,
        terms=terms,
        stock=StockTaking(kit),
        versions=Versions(kit),
        questions=Questions(kit, objects_of(kit.settings), awaited),
        bank=Bank(kit),
        limiter=build_limiter(kit.settings),
        quizzes=Quizzes(kit),
        attempts=Attempts(kit),
        lottery=Lottery(kit),
        draw_logs=DrawLogs(kit, campaigns.reveal_seeds),
        wallet=wallet,
        vouchers=vouchers,
        activities=Activities(kit, verifies_shares=share_verifier is not None),
        events=Events(kit),
        exclusions=Exclusions(kit, objects_of(kit.settings), awaited),
        holds=Holds(kit),
        sightings=Sightings(kit),
        openings=Openings(kit),
        origins=Origins(kit),
        days=Days(kit),
        photos=photos,
        consents=Consents(kit),
        privacy=Privacy(kit, photos),
        reveals=Reveals(kit),
        retention=Retention(kit),
        reviews=Reviews(kit),
        share_verifier=share_verifier,
        notices=Notices(kit, deliveries, wallet),
        deliveries=deliveries,
        phones=phones,
        preferences=Preferences(kit, messengers, phones),
        dead_letters=DeadLetters(kit),
        reporting=Reporting(kit),
        reports=Reports(kit, papers_of_campaigns(kit, objects_of(kit.settings))),
        calibration=Calibration(kit, awaited),
        rescoring=Rescoring(kit),
        planning=Planning(kit),
        monitoring=Monitoring(kit),
    )
