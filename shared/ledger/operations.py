"""A fund from its opening on. A change makes a version: vouchers that were issued keep theirs.

`pieces` are the vouchers that may still be issued, counted by their price. The caller has locked the fund
and their stock, so that none is issued meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import sub
from uuid import UUID

from shared.db import Tx
from shared.ledger import rules, store
from shared.ledger.store import Cause, Fund

Pieces = Mapping[int, int]


async def open_fund(tx: Tx, campaign_id: UUID, fund: Fund, cause: Cause, *, pieces: Pieces) -> None:
    """Writes the fund and its opening transfer: what the payers put up becomes available."""
    needed = rules.needed_fen(pieces, fund.shares_ppm, [0] * len(fund.payers))
    put_up = rules.shared_out(fund.budget_fen, needed, fund.shares_ppm)
    await store.insert_fund(tx, campaign_id, fund)
    await store.insert_version(tx, campaign_id, fund, put_up, cause)
    await store.move(tx, campaign_id, "fund", put_up, cause)


async def set_budget(tx: Tx, campaign_id: UUID, budget_fen: int, cause: Cause, *, pieces: Pieces) -> bool:
    """More or less by the shares; False when money would go that stock or vouchers need."""
    fund = await store.fund_of(tx, campaign_id)
    available, released = await store.balances(tx, campaign_id, len(fund.payers))
    needed = rules.needed_fen(pieces, fund.shares_ppm, released)
    if budget_fen >= fund.budget_fen:
        more = rules.shared_out(budget_fen - fund.budget_fen, [0] * len(fund.payers), fund.shares_ppm)
        target = [have + part for have, part in zip(available, more, strict=True)]
    else:
        less = rules.taken_back(fund.budget_fen - budget_fen, available, needed, fund.shares_ppm)
        if less is None:
            return False
        target = list(map(sub, available, less))
    await _settle(
        tx, campaign_id, replace(fund, budget_fen=budget_fen), cause, available=available, target=target
    )
    return True


async def set_shares(
    tx: Tx, campaign_id: UUID, shares_ppm: Mapping[str, int], cause: Cause, *, pieces: Pieces
) -> bool:
    """The same payers with new shares; what no voucher holds is shared out anew.

    False when it is too little.
    """
    fund = await store.fund_of(tx, campaign_id)
    payers = tuple(replace(payer, share_ppm=shares_ppm[payer.key]) for payer in fund.payers)
    changed = replace(fund, payers=payers)
    available, released = await store.balances(tx, campaign_id, len(payers))
    needed = rules.needed_fen(pieces, changed.shares_ppm, released)
    if sum(needed) > sum(available):
        return False
    target = rules.shared_out(sum(available), needed, changed.shares_ppm)
    await _settle(tx, campaign_id, changed, cause, available=available, target=target)
    return True


async def cover(tx: Tx, campaign_id: UUID, cause: Cause, *, pieces: Pieces) -> bool:
    """Sees to it that every payer has its part of every piece at hand.

    False when all together have too little.
    With shares that do not divide the prices, or after they changed, a payer may lack what another has over.
    """
    fund = await store.fund_of(tx, campaign_id)
    available, released = await store.balances(tx, campaign_id, len(fund.payers))
    needed = rules.needed_fen(pieces, fund.shares_ppm, released)
    if sum(needed) > sum(available):
        return False
    target = rules.topped_up(available, needed)
    if target != available:
        await _settle(tx, campaign_id, fund, cause, available=available, target=target)
    return True


async def _settle(
    tx: Tx, campaign_id: UUID, fund: Fund, cause: Cause, *, available: Sequence[int], target: Sequence[int]
) -> None:
    """The next version, with what payers put up for it and what they get back."""
    difference = [new - old for new, old in zip(target, available, strict=True)]
    latest = (await store.versions(tx, campaign_id))[-1]
    put_up = [before + more for before, more in zip(latest.put_up_fen, difference, strict=True)]
    changed = replace(fund, version=latest.version + 1)
    await store.update_fund(tx, campaign_id, changed)
    await store.insert_version(tx, campaign_id, changed, put_up, cause)
    await store.move(tx, campaign_id, "fund", [max(0, part) for part in difference], cause)
    await store.move(tx, campaign_id, "refund", [max(0, -part) for part in difference], cause)


async def settle(
    tx: Tx,
    campaign_id: UUID,
    cause: Cause,
    *,
    institution_id: str,
    owed_fen: Sequence[int],
    taken_back_fen: Sequence[int],
) -> None:
    """What is owed to an institution becomes paid, and what was paid in error is available again.

    Once for each cause. Two moves, because what one payer gets back may be more than it owes here.
    """
    await store.move(tx, campaign_id, "pay", owed_fen, cause, institution_id=institution_id)
    await store.move(tx, campaign_id, "recover", taken_back_fen, cause, institution_id=institution_id)
