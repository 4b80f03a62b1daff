"""Whose token is still good: an erased account's dies at once, in every process.

Tokens are checked without the database. So what they are used for asks here whether the account is still
there: one look-up in an index of the few that are not, for a whole batch of a hot operation at once.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Protocol, TypeVar

from shared.db import Database
from shared.errors import Refusal, Unauthenticated
from shared.identity import store
from shared.identity.citizens import Citizen
from shared.identity.errors import ConsentWithdrawn


class OfCitizen(Protocol):
    @property
    def citizen(self) -> Citizen:
        """Whose request it is."""
        ...


ItemT = TypeVar("ItemT", bound=OfCitizen)
ResultT = TypeVar("ResultT")
Batch = Callable[[Hashable, Sequence[ItemT]], Awaitable[Sequence[ResultT | Refusal]]]


def present_only(
    database: Database, run: Batch[ItemT, ResultT], *, needs_consent: bool = False
) -> Batch[ItemT, ResultT]:
    """The batch without those whose account was erased, or who took their consent back."""

    async def batch(key: Hashable, items: Sequence[ItemT]) -> Sequence[ResultT | Refusal]:
        refusals = await refused(database, [item.citizen for item in items], needs_consent=needs_consent)
        if not any(refusals):
            return await run(key, items)
        present = [item for item, refusal in zip(items, refusals, strict=True) if refusal is None]
        results = iter(await run(key, present) if present else ())
        return [next(results) if refusal is None else refusal for refusal in refusals]

    return batch


async def refused(
    database: Database, citizens: Sequence[Citizen], *, needs_consent: bool = False
) -> list[Refusal | None]:
    """What speaks against each of them: the account is gone, or its consent. None: nothing does."""
    absent = await store.absent_accounts(database, [citizen.account_id for citizen in citizens])
    refusals: list[Refusal | None] = []
    for citizen in citizens:
        erased = absent.get(citizen.account_id)
        if erased is None or not (erased or needs_consent):
            refusals.append(None)
        else:
            refusals.append(Unauthenticated() if erased else ConsentWithdrawn())
    return refusals


async def require_present(database: Database, citizen: Citizen) -> None:
    """Raises Unauthenticated when the account is erased."""
    [refusal] = await refused(database, [citizen])
    if refusal is not None:
        raise refusal
