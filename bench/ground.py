"""What every measurement stands on: a stack of its own, those who work on it, and how much there is to do."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.hotpath.opening import opened
from bench.hotpath.town import Town
from bench.simulator.clerks import Clerks
from bench.simulator.platform import Platform
from shared.crypto import Keys

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sizes:
    """`people` live through every hot call, in `rounds` pairs.

    `profiled` more write-offs are looked at from outside; `one_worker` people hold vouchers for the run with
    one HTTP worker.
    """

    people: int
    rounds: int
    profiled: int
    one_worker: int
    # Of the scenes: a leg of a pair, citizens of an opening rush and how often they come, and how many
    # vouchers the table grows to.
    leg_seconds: float
    rush: int
    rushes: int
    vouchers: int


SHORT = Sizes(
    people=20_000,
    rounds=5,
    profiled=6_000,
    one_worker=8_000,
    leg_seconds=4.0,
    rush=20_000,
    rushes=1,
    vouchers=500_000,
)
FULL = Sizes(
    people=60_000,
    rounds=9,
    profiled=20_000,
    one_worker=20_000,
    leg_seconds=8.0,
    rush=20_000,
    rushes=5,
    vouchers=10_000_000,
)


@dataclass(frozen=True, slots=True)
class Ground:
    """`settings` are the environment of the stack's processes; `folder` lies on the same disk as its data."""

    platform: Platform
    clerks: Clerks
    base_url: str
    port: int
    workers: int
    settings: Mapping[str, str]
    database_url: str
    redis_url: str
    keys: Keys
    definition: dict[str, Any]
    questions: Sequence[dict[str, Any]]
    folder: Path
    sizes: Sizes
    say: Say

    def town(
        self, *, pieces: int, odds: float = 1, others: Mapping[str, int] | None = None
    ) -> AbstractAsyncContextManager[Town]:
        """A new campaign with so many vouchers of the one type (`others`: pieces of further types)."""
        return opened(
            platform=self.platform,
            clerks=self.clerks,
            port=self.port,
            database_url=self.database_url,
            keys=self.keys,
            definition=self.definition,
            questions=self.questions,
            pieces=pieces,
            odds=odds,
            others=others,
        )
