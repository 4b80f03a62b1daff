"""Which activities a reviewer is told of beside the one in hand."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.issuance.reviews.rules import HINTS_MAX, Likeness, Reason, hints
from shared.ids import HotId

NOON = datetime(2020, 11, 1, 4, 0, tzinfo=UTC)


def like(number: int, reason: Reason, similarity: int | None = None, minutes: int = 0) -> Likeness:
    return Likeness(
        other=HotId(1, UUID(int=number)),
        reason=reason,
        state="pending",
        submitted_at=NOON + timedelta(minutes=minutes),
        same_person=False,
        similarity=similarity,
    )


def test_an_activity_is_named_once_with_all_its_reasons() -> None:
    [hint] = hints([like(1, "same_subject", 90), like(1, "near_text", 90), like(1, "near_text", 90)])
    assert hint.reasons == ("same_subject", "near_text")
    assert hint.similarity == 90


def test_texts_that_only_seemed_alike_are_left_out() -> None:
    assert hints([like(1, "near_text", 49)]) == []
    [hint] = hints([like(1, "near_text", 50)])
    assert hint.reasons == ("near_text",)
    [other] = hints([like(1, "near_text", 10), like(1, "same_photo", 10)])
    assert other.reasons == ("same_photo",)


def test_most_reasons_come_first_then_the_oldest_and_not_too_many() -> None:
    found = [like(number, "same_photo", minutes=-number) for number in range(1, 9)]
    found.append(like(3, "same_subject", minutes=-3))
    told = hints(found)
    assert len(told) == HINTS_MAX
    assert [hint.other.uuid.int for hint in told] == [3, 8, 7, 6, 5]


def test_nothing_alike_is_no_hint() -> None:
    assert hints([]) == []
