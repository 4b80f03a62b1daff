"""Runs the integrity check: for the console, for `hv integrity`, and for the tests."""

from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from shared.audit.chain import verify_chain
from shared.clock import machine_now
from shared.db import Tx, is_unavailable
from shared.errors import InvariantBroken
from shared.integrity import Figure, Outcome, Report, store
from shared.integrity.catalogue import SqlCheck, sql_checks
from shared.kit import Kit

log = structlog.get_logger(__name__)

# Where issuance seals the seed of a phase: the ciphertext opens in its own row only.
SEED_CONTEXT = "issuance.phase/{phase_id}/seed"
AUDIT_CHAIN = "audit_chain_is_whole"
SEEDS_OPEN = "seeds_open_in_their_own_rows"


async def recompute(kit: Kit) -> Report:
    """Recomputes every invariant in one repeatable-read snapshot."""
    now = kit.clock.now()
    async with kit.database.snapshot(slow=True) as tx:
        seeds, seeds_open = _open(kit, await store.sealed_seeds(tx))
        outcomes = [await _outcome(tx, check, kit, seeds) for check in sql_checks()]
        outcomes += [seeds_open, await _audit_chain(tx)]
    return Report(as_of=now, checks=tuple(outcomes))


def _open(kit: Kit, sealed_seeds: list[tuple[UUID, bytes]]) -> tuple[dict[UUID, bytes], Outcome]:
    """The seeds that open, and whether all do: one that was altered or moved fails this check only."""
    seeds: dict[UUID, bytes] = {}
    shut: list[UUID] = []
    for phase_id, sealed in sealed_seeds:
        try:
            context = SEED_CONTEXT.format(phase_id=phase_id).encode()
            seeds[phase_id] = kit.keys.sealer.open(sealed, context=context)
        except InvariantBroken:
            shut.append(phase_id)
    return seeds, Outcome(
        name=SEEDS_OPEN,
        ok=not shut,
        expected=len(sealed_seeds),
        actual=len(seeds),
        detail=f"seeds that do not open; the first: phase {shut[0]}" if shut else None,
        title="各期抽奖种子均可打开",
    )


async def _outcome(tx: Tx, check: SqlCheck, kit: Kit, seeds: dict[UUID, bytes]) -> Outcome:
    try:
        # A savepoint each: a check that cannot be computed is one failed check, and the others go on.
        async with tx.begin_nested():
            row = await store.answer(
                tx, check.sql, now=kit.clock.now(), machine_now=machine_now(), seeds=seeds
            )
    except SQLAlchemyError as error:
        if is_unavailable(error):
            raise
        log.warning("Integrity check not computed", check=check.name, exc_info=error)
        detail = f"{check.file} could not be computed: {type(error.__cause__ or error).__name__}"
        return Outcome(check.name, ok=False, expected=None, actual=None, detail=detail, title=check.title)
    return Outcome(
        name=check.name,
        ok=row["ok"] is True,
        expected=_figure(row["expected"]),
        actual=_figure(row["actual"]),
        detail=None if row["detail"] is None else str(row["detail"]),
        title=check.title,
    )


def _figure(value: object) -> Figure:
    return value if value is None or isinstance(value, (int, str)) else str(value)


async def _audit_chain(tx: Tx) -> Outcome:
    chain = await verify_chain(tx)
    return Outcome(
        name=AUDIT_CHAIN,
        ok=chain.fault is None,
        expected=chain.head_seq,
        actual=chain.whole_until,
        detail=chain.fault,
        title="审计日志的哈希链完整",
    )
