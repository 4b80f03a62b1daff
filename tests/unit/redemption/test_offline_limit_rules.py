"""A day never takes more of a terminal's uploads than its campaign allows, whatever comes in which order."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.redemption.offline.rules import DayLimit, Stake, Taken, rounds, sort_out
from shared.ids import new_id

CAMPAIGNS = (new_id(), new_id())
FIRST_DAY = date(2020, 10, 31)
Key = tuple[UUID, date]


@dataclass(frozen=True)
class Used:
    """A voucher used without a line; `sound` False: it is refused for a reason of its own."""

    minute: int
    campaign: UUID
    fen: int
    sound: bool

    @property
    def key(self) -> Key:
        return self.campaign, FIRST_DAY + timedelta(days=self.minute // 1_440)


# Few days and amounts, so that days fill up and great ones stand before small ones.
use = st.builds(
    Used,
    minute=st.integers(0, 2 * 1_440 - 1),
    campaign=st.sampled_from(CAMPAIGNS),
    fen=st.sampled_from((1, 40, 60, 100)),
    sound=st.sampled_from((True, True, False)),
)
uses = st.lists(use, unique_by=lambda one: one.minute, max_size=20)
one_limit = st.builds(
    DayLimit, st.none() | st.integers(1, 4), st.none() | st.sampled_from((40, 60, 100, 140, 200))
)
day_limits = st.tuples(one_limit, one_limit).map(lambda both: dict(zip(CAMPAIGNS, both, strict=True)))


class Terminal:
    """What stands of a terminal's uploads, as the database keeps it."""

    def __init__(self, limits: dict[UUID, DayLimit]) -> None:
        self.limits, self.standing, self.turns = limits, set[Used](), 0

    def taken(self) -> dict[Key, Taken]:
        counts: Counter[Key] = Counter()
        fens: Counter[Key] = Counter()
        for one in self.standing:
            counts[one.key] += 1
            fens[one.key] += one.fen
        return {key: Taken(counts[key], fens[key]) for key in counts}

    def upload(self, items: Sequence[Used]) -> dict[Used, str]:
        """As the operation does it: turn by turn, in the order of use."""
        found: dict[Used, str] = {}
        left = sorted(range(len(items)), key=lambda place: items[place].minute)
        while left:
            stakes = [
                Stake(place, items[place].campaign, items[place].key[1], items[place].fen) for place in left
            ]
            decided = sort_out(stakes, self.limits, self.taken())
            assert decided.fit | decided.over, "a turn that decides nothing would never end"
            assert not decided.fit & decided.over
            for place in decided.fit | decided.over:
                found[items[place]] = self.judge(items[place], over=place in decided.over)
            left = [place for place in left if items[place] not in found]
            self.turns += 1
        return found

    def judge(self, item: Used, *, over: bool) -> str:
        if item in self.standing:
            return "duplicate"
        if over or not item.sound:
            return "over" if over else "refused"
        self.standing.add(item)
        return "redeemed"

    def holds(self) -> bool:
        return all(
            (limit.count is None or one.count <= limit.count) and (limit.fen is None or one.fen <= limit.fen)
            for key, one in self.taken().items()
            for limit in (self.limits[key[0]],)
        )


def one_by_one(items: Iterable[Used], limits: dict[UUID, DayLimit]) -> set[Used]:
    """The rule itself: in the order of use, each is taken that is sound and fits."""
    terminal = Terminal(limits)
    for item in sorted(items, key=lambda one: one.minute):
        terminal.upload([item])
    return terminal.standing


# The first is refused anyway, so the second fits and the third does not – which fitted beside the first.
@example(
    [
        Used(minute, CAMPAIGNS[0], fen, sound=sound)
        for minute, fen, sound in ((1, 60, False), (2, 100, True), (3, 60, True))
    ],
    dict.fromkeys(CAMPAIGNS, DayLimit(None, 140)),
)
@given(uses, day_limits)
@settings(max_examples=300)
def test_an_upload_takes_what_one_by_one_in_the_order_of_use_would(
    items: list[Used], limits: dict[UUID, DayLimit]
) -> None:
    terminal = Terminal(limits)
    terminal.upload(items)
    assert terminal.holds()
    assert terminal.standing == one_by_one(items, limits)


@given(uses, day_limits, st.randoms(use_true_random=False))
def test_the_order_of_the_items_changes_nothing(
    items: list[Used], limits: dict[UUID, DayLimit], random: Random
) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    first, second = Terminal(limits), Terminal(limits)
    assert first.upload(items) == second.upload(shuffled)


@given(uses, day_limits, st.lists(st.integers(1, 8), max_size=8))
def test_late_arrivals_never_break_a_limit_and_take_nothing_away(
    items: list[Used], limits: dict[UUID, DayLimit], sizes: list[int]
) -> None:
    terminal, start = Terminal(limits), 0
    for size in [*sizes, len(items)]:
        before = set(terminal.standing)
        terminal.upload(items[start : start + size])
        assert terminal.holds()
        assert before <= terminal.standing
        start += size


@given(uses, day_limits)
def test_sent_again_nothing_changes_and_everything_that_stands_is_a_repetition(
    items: list[Used], limits: dict[UUID, DayLimit]
) -> None:
    terminal = Terminal(limits)
    first = terminal.upload(items)
    standing = set(terminal.standing)
    again = terminal.upload(items)
    assert terminal.standing == standing
    for item in items:
        assert again[item] == ("duplicate" if item in standing else first[item]) or not item.sound


@given(uses, day_limits)
def test_days_and_campaigns_do_not_touch_each_other(items: list[Used], limits: dict[UUID, DayLimit]) -> None:
    together = Terminal(limits)
    together.upload(items)
    for key in {item.key for item in items}:
        alone = Terminal(limits)
        alone.upload([item for item in items if item.key == key])
        assert alone.standing == {item for item in together.standing if item.key == key}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("vwx")), max_size=20))
def test_no_round_has_a_number_or_a_voucher_twice(pairs: list[tuple[str, str]]) -> None:
    turns = rounds([set(pair) for pair in pairs])
    assert sorted(place for turn in turns for place in turn) == list(range(len(pairs)))
    for turn in turns:
        keys = [key for place in turn for key in pairs[place]]
        assert len(keys) == len(set(keys))
    for key in "abvwx":
        places = [place for turn in turns for place in turn if key in pairs[place]]
        assert places == sorted(places)
