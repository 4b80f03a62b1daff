"""Several programmes and years at once, and what a programme's target consists of."""

from datetime import datetime

from shared.clock import CHINA, ManualClock
from tests.support.quota import Bureau, definition, event, issued


async def test_target_residents_and_what_was_decided_are_shown_beside_each_other(bureau: Bureau) -> None:
    made = await bureau.post(
        "programmes",
        definition(
            "target",
            target_cards=214_300,
            target_share_of_residents="0.15",
            residents=1_428_667,
            issued_before={"as_of": "2020-07-31", "cards": 49_542},
            remaining_exact=164_758,
            allocation_total=165_000,
        ),
    )
    assert (made["target_exact"], made["target_difference"], made["target_as_decided"]) == (
        "214300.05", "-0.05", False,
    )  # fmt: skip
    assert (made["remaining_exact"], made["allocation_total"], made["allocation_difference"]) == (
        164_758, 165_000, 242,
    )  # fmt: skip


async def test_a_target_may_be_left_to_the_share_of_the_residents(bureau: Bureau) -> None:
    body = {"slug": "by-share", "title": "按占比", "target_share_of_residents": "0.15", "residents": 1000}
    made = await bureau.post("programmes", body)
    assert (made["target_cards"], made["target_exact"], made["target_difference"]) == (150, "150", "0")


async def test_a_target_that_contradicts_the_share_is_refused_unless_it_was_decided(bureau: Bureau) -> None:
    body = definition("decided", target_share_of_residents="0.15", residents=1000)
    refused = await bureau.post("programmes", body, status=422)
    assert [(fault["loc"], fault["code"]) for fault in refused["errors"]] == [
        ("body.target_cards", "target_mismatch")
    ]
    made = await bureau.post("programmes", {**body, "target_as_decided": True})
    assert (made["target_cards"], made["target_difference"]) == (1000, "850")


async def test_cards_of_one_programme_never_count_in_another(bureau: Bureau, clock: ManualClock) -> None:
    """The same hospitals, people and event numbers in two years' programmes."""
    clock.set(datetime(2021, 10, 10, 9, 0, tzinfo=CHINA))
    first = await bureau.programme("cards-2020", total=100)
    second = await bureau.programme("cards-2021", total=50)
    assert await first.send(issued(first, "甲", 1, "p", "2020-08-10")) == ["counted"]
    assert await second.send(issued(second, "乙", 1, "p", "2021-08-10")) == ["counted"]
    # A poster of the other programme: its code is not one of this programme.
    foreign = event(2, "2021-08-11", scene=first.scene("丙"))
    assert await second.send(foreign) == ["unattributed"]
    assert await first.issued() == {"甲": 1}
    assert await second.issued() == {"乙": 1, "": 1}
    assert (await first.month_issued("2021-08"))["甲"] == 0
    quotas = [[item["quota"] for item in (await one.progress())["items"]] for one in (first, second)]
    assert quotas == [[60, 30, 10], [30, 15, 5]]
    await first.send(issued(first, None, 3, "p", "2020-09-01", kind="cancelled"))
    assert await first.issued() == {}
    assert await second.issued() == {"乙": 1, "": 1}


async def test_the_platforms_key_of_one_programme_opens_no_other(bureau: Bureau) -> None:
    first = await bureau.programme("key-2020")
    second = await bureau.programme("key-2021")
    answer = await first.platform.post(f"{second.path}/card-events", {"events": [event(1)]})
    assert answer.status_code == 401
