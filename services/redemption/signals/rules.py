"""Signals of cash-out and collusion, judged on an institution's rolled-up days. Pure.

Each signal has named thresholds, a score (60 at the threshold, 100 where hardly anything else explains it)
and reasons: what was seen beside what would still be usual. What is usual comes from the institution itself
(declared capacity, opening hours, its own past) and from its peers on the same day, because a crowded
opening day is crowded everywhere.
"""

from collections.abc import Callable, Mapping

from services.redemption.circles.rules import closed_group, shared_address, shared_device
from services.redemption.findings.rules import Finding, Signal, View
from services.redemption.handling.rules import amounts, manual, reversals
from services.redemption.paces.rules import burst, capacity, hours, jump

SIGNALS: Mapping[Signal, Callable[[View], Finding | None]] = {
    "capacity": capacity,
    "burst": burst,
    "hours": hours,
    "amounts": amounts,
    "closed_group": closed_group,
    "shared_device": shared_device,
    "shared_address": shared_address,
    "manual": manual,
    "reversals": reversals,
    "jump": jump,
}


def judge(view: View) -> list[Finding]:
    """Everything that stands out on a day."""
    found = (signal(view) for signal in SIGNALS.values())
    return [finding for finding in found if finding is not None]
