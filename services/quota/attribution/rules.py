"""Why an event counts where it does. Pure: the rule of cards/functions.sql, for one person at a time.

The counting itself is SQL, for a thousand persons at once. That the two agree on every history is tested.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.quota.cards.rules import CardKind

Part = Literal["opens", "closes", "uses", "uses_again", "nothing"]


@dataclass(frozen=True, slots=True)
class PersonEvent:
    """An event of a person; `place` is its order of arrival, `hospital_id` is its code's or assigned."""

    event_id: str
    kind: CardKind
    at: datetime
    place: int
    hospital_id: str | None


@dataclass(slots=True)
class PersonCard:
    """A card of a person, from its opening event until its cancellation."""

    opened_by: PersonEvent
    used: bool = False
    closed_by: PersonEvent | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What an event does, and to which card (the one open at its time, or that it opens)."""

    event: PersonEvent
    part: Part
    card: PersonCard | None


def tell(events: Iterable[PersonEvent]) -> list[Told]:
    """A person's events in the order of their time (equal times in the order of arrival), each explained."""
    told: list[Told] = []
    card: PersonCard | None = None
    for event in sorted(events, key=lambda event: (event.at, event.place)):
        part: Part = "nothing"
        subject = card
        if event.kind == "issued" and card is None:
            card = subject = PersonCard(event)
            part = "opens"
        elif event.kind == "cancelled" and card is not None:
            card.closed_by = event
            card = None
            part = "closes"
        elif event.kind == "used" and card is not None:
            part = "uses_again" if card.used else "uses"
            card.used = True
        told.append(Told(event, part, subject))
    return told


Why = Literal[
    "first_code",
    "assigned",
    "no_code",
    "card_cancelled",
    "card_already_issued",
    "card_open",
    "no_open_card",
    "on_the_way",
    "on_the_way_without_code",
]
WHY_ZH: Mapping[Why, str] = {
    "first_code": "持卡人最先通过该院二维码领卡，计入该院。",
    "assigned": "领卡时没有可识别的二维码，经审批指定归属该院。",
    "no_code": "领卡时没有可识别的二维码，计入未归属，可经审批指定医院。",
    "card_cancelled": "该卡已注销，自注销当月起不再计数。",
    "on_the_way": "该事件是访问或申请，计入该院的推广转化，不影响发卡数。",
    "on_the_way_without_code": "该事件是访问或申请，没有可识别的二维码，不计入任何医院的推广转化。",
    "card_already_issued": "持卡人当时已有卡，同一人只计一次，归属最先的二维码。",
    "card_open": "持卡人当时有卡，该事件已计入其所属医院。",
    "no_open_card": "持卡人当时没有有效的卡，该事件未计数；卡的发放事件补到后会自动计入。",
}


def why(told: Told, *, assigned: bool) -> Why:
    """`assigned`: the event's hospital was given to it by a change."""
    if told.event.kind != "issued":
        return "no_open_card" if told.part == "nothing" else "card_open"
    if told.part == "nothing" or told.card is None:
        return "card_already_issued"
    if told.card.closed_by is not None:
        return "card_cancelled"
    if told.event.hospital_id is None:
        return "no_code"
    return "assigned" if assigned else "first_code"


def counts_today(told: Told) -> bool:
    """Whether the event is part of today's figures."""
    return told.card is not None and told.part in {"opens", "uses"} and told.card.closed_by is None


def note(hospital: str | None, *, counts_in: str | None, handed_on_by: str | None) -> str | None:
    """What became of the hospital: why its card stands in another's line, or came by another's code."""
    notes = []
    if handed_on_by is not None:
        notes.append(f"该二维码属{handed_on_by}，该院关闭后由{hospital}承接。")
    if counts_in is not None:
        notes.append(f"{hospital}已并入{counts_in}，自并入日起计入{counts_in}的累计数；已冻结月份不变。")
    return "".join(notes) or None
