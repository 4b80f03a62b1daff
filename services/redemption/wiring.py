"""The one place where redemption's parts are put together; used by app, worker, command line and tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from services.redemption.activations.operations import Activations
from services.redemption.admissions.operations import Admissions
from services.redemption.casefiles.operations import CaseFiles
from services.redemption.contracts.operations import ContractPrices
from services.redemption.corrections.operations import Corrections
from services.redemption.disputes.operations import Disputes
from services.redemption.heldback.operations import HeldBack
from services.redemption.holds.operations import Holds
from services.redemption.imports.operations import Imports
from services.redemption.institutions.operations import Directory
from services.redemption.lockouts.operations import Lockouts
from services.redemption.manual.operations import ManualWriteOffs
from services.redemption.offline.operations import Offline
from services.redemption.operators.operations import Operators
from services.redemption.payees.operations import Payees
from services.redemption.payments.operations import Payments
from services.redemption.rankings.operations import Rankings
from services.redemption.reconciliation.operations import Reconciliations
from services.redemption.records.operations import Records
from services.redemption.reporting.operations import Reporting
from services.redemption.reversals.operations import Reversals, StaffReversals
from services.redemption.risk.operations import Cases
from services.redemption.serviceresults.operations import ServiceResults
from services.redemption.settlement.operations import Settlements
from services.redemption.sightings.operations import Sightings
from services.redemption.signals.operations import Signals
from services.redemption.statements.operations import Statements
from services.redemption.terminals.operations import Keyring, TerminalDesk
from services.redemption.tillviews.operations import TillViews
from services.redemption.writeoff.operations import WriteOffs
from shared.approvals import Approvals
from shared.healthcode import health_code_of
from shared.jobs.awaited import AwaitedJobs
from shared.jobs.kinds import Queue
from shared.kit import Kit
from shared.objects import objects_of
from shared.ratelimit import RateLimiter, build_limiter

SERVICE = "redemption"


@dataclass(frozen=True, slots=True)
class Wiring:
    kit: Kit
    approvals: Approvals
    awaited: AwaitedJobs
    limiter: RateLimiter
    keyring: Keyring
    directory: Directory
    imports: Imports
    admissions: Admissions
    contracts: ContractPrices
    operators: Operators
    till_views: TillViews
    sightings: Sightings
    activations: Activations
    terminals: TerminalDesk
    lockouts: Lockouts
    writeoffs: WriteOffs
    reversals: Reversals
    staff_reversals: StaffReversals
    offline: Offline
    manual: ManualWriteOffs
    service_results: ServiceResults
    reporting: Reporting
    rankings: Rankings
    signals: Signals
    cases: Cases
    case_files: CaseFiles
    settlements: Settlements
    disputes: Disputes
    held_back: HeldBack
    payees: Payees
    payments: Payments
    corrections: Corrections
    holds: Holds
    statements: Statements
    reconciliations: Reconciliations
    records: Records

    @asynccontextmanager
    async def draining(self) -> AsyncIterator[None]:
        """A lifespan of the app: what waits in the batchers is answered before the database goes."""
        yield
        await self.writeoffs.drain()
        await self.reversals.drain()


def build(kit: Kit) -> Wiring:
    keyring = Keyring(kit)
    lockouts = Lockouts(kit, keyring)
    writeoffs = WriteOffs(kit, lockouts)
    directory, terminals, holds = Directory(kit), TerminalDesk(kit, keyring), Holds(kit)
    awaited = AwaitedJobs(kit, Queue.REDEMPTION)
    payments, corrections, staff_reversals = Payments(kit), Corrections(kit), StaffReversals(kit)
    admissions, contracts, rankings = Admissions(kit), ContractPrices(kit), Rankings(kit)
    disputes, payees = Disputes(kit), Payees(kit)
    changing = (payments, disputes, payees, corrections, admissions, contracts, rankings, staff_reversals)
    appliers = {kind: apply for one in changing for kind, apply in one.appliers.items()}
    return Wiring(
        kit=kit,
        approvals=Approvals(SERVICE, kit.database, kit.clock, appliers=appliers),
        awaited=awaited,
        limiter=build_limiter(kit.settings),
        keyring=keyring,
        directory=directory,
        imports=Imports(kit),
        admissions=admissions,
        contracts=contracts,
        operators=Operators(kit),
        till_views=TillViews(kit),
        sightings=Sightings(kit),
        activations=Activations(kit, keyring),
        terminals=terminals,
        lockouts=lockouts,
        writeoffs=writeoffs,
        reversals=Reversals(kit),
        staff_reversals=staff_reversals,
        offline=Offline(kit, writeoffs, lockouts),
        manual=ManualWriteOffs(kit, lockouts),
        service_results=ServiceResults(kit, health_code_of(kit.settings)),
        reporting=Reporting(kit),
        rankings=rankings,
        signals=Signals(kit),
        cases=Cases(kit, holds, terminals, directory),
        case_files=CaseFiles(kit),
        settlements=Settlements(kit, awaited),
        disputes=disputes,
        held_back=HeldBack(kit),
        payees=payees,
        payments=payments,
        corrections=corrections,
        holds=holds,
        statements=Statements(kit),
        reconciliations=Reconciliations(kit, objects_of(kit.settings)),
        records=Records(kit),
    )
