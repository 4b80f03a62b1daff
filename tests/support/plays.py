"""Random plays against the platform: hypothesis plays in a thread, its acts run in the session's loop."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

_ACT_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class Stage:
    loop: asyncio.AbstractEventLoop

    def run(self, act: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - whatever the act returns
        running: Future[Any] = asyncio.run_coroutine_threadsafe(act, self.loop)
        return running.result(timeout=_ACT_SECONDS_MAX)


@dataclass(frozen=True, slots=True)
class Dice:
    """What an act decides by; both from 0 to 4096."""

    one: int
    two: int


async def play(machine: type[RuleBasedStateMachine], world: object, *, examples: int = 50) -> None:
    """Plays the machine `examples` times, 50 steps each, in the world that its class is given."""
    here = type(f"{machine.__name__}Here", (machine,), {"world": world})
    rules = settings(
        max_examples=examples,
        stateful_step_count=50,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
        # A run that fails is shown as it was: shrinking it would take minutes.
        phases=(Phase.generate,),
    )
    await asyncio.to_thread(run_state_machine_as_test, here, settings=rules)
