from itertools import count

import pytest

from shared.metrics import looks
from shared.metrics.looks import FRESH_EVERY_SECONDS, FRESH_IN_A_ROW, KEYS_MAX, Looks


class Watch:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


class Figures:
    """Each load is another figure."""

    def __init__(self) -> None:
        self._numbers = count(1)

    async def load(self) -> int:
        return next(self._numbers)


async def test_who_asks_now_and_then_gets_fresh_figures(watch: Watch) -> None:
    shared, figures = Looks(watch), Figures()
    assert [await shared.get("a", figures.load) for _ in range(FRESH_IN_A_ROW)] == list(
        range(1, FRESH_IN_A_ROW + 1)
    )
    for number in range(5):
        watch.now += FRESH_EVERY_SECONDS
        assert await shared.get("a", figures.load) == FRESH_IN_A_ROW + 1 + number


async def test_a_crowd_shares_one_look_every_five_seconds(watch: Watch) -> None:
    shared, figures, seen = Looks(watch), Figures(), set()
    for _ in range(1_000):
        watch.now += 0.01
        seen.add(await shared.get("a", figures.load))
    # Ten seconds: those in a row, and then one every five seconds.
    assert len(seen) == pytest.approx(FRESH_IN_A_ROW + 10 / FRESH_EVERY_SECONDS, abs=1)
    assert watch.now == pytest.approx(10)


async def test_a_crowd_at_one_campaign_leaves_the_others_fresh(watch: Watch) -> None:
    shared, figures = Looks(watch), Figures()
    for _ in range(2 * FRESH_IN_A_ROW):
        await shared.get("crowded", figures.load)
    assert await shared.get("quiet", figures.load) == FRESH_IN_A_ROW + 1


async def test_what_cannot_be_loaded_is_asked_for_again(watch: Watch) -> None:
    shared, figures = Looks(watch), Figures()

    async def nobody() -> int:
        raise LookupError

    for _ in range(2 * FRESH_IN_A_ROW):
        with pytest.raises(LookupError):
            await shared.get("nobody", nobody)
    assert await shared.get("nobody", figures.load) == 1


async def test_what_began_earlier_never_hides_what_was_seen_later(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "FRESH_IN_A_ROW", 3)
    shared, figures = Looks(watch), Figures()
    await shared.get("a", figures.load)

    async def slow() -> int:
        # While it loads, somebody who began later is done.
        watch.now += 0.1
        assert await shared.get("a", figures.load) == 2
        return -1

    assert await shared.get("a", slow) == -1
    assert await shared.get("a", figures.load) == 2


async def test_memory_holds_so_many_keys_and_no_more(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "FRESH_IN_A_ROW", 1)
    shared, figures = Looks(watch), Figures()
    for key in range(KEYS_MAX + 1):
        await shared.get(key, figures.load)
    assert await shared.get(KEYS_MAX, figures.load) == KEYS_MAX + 1
    assert await shared.get(0, figures.load) == KEYS_MAX + 2
