"""How a forecast is drawn, and what the form sends."""

from services.console.plannerpages.rules import call_of, date_of, drawing, plan_of

PHASE = {"odds": "0.2", "quiz": {"pass_score": 60}}


def test_the_band_goes_there_along_its_top_and_back_along_its_bottom() -> None:
    figures = [{"wins": {"p05": 0, "median": 5, "p95": 10}}, {"wins": {"p05": 5, "median": 5, "p95": 5}}]
    drawn = drawing(figures, "wins")
    assert drawn.band == "0.0,0.0 600.0,80.0 600.0,80.0 0.0,160.0"
    assert drawn.median == "0.0,80.0 600.0,80.0"
    assert drawn.most == 10


def test_nothing_at_all_is_drawn_as_nothing() -> None:
    zero = {"wins": {"p05": 0, "median": 0, "p95": 0}}
    assert drawing([zero], "wins").median == "0.0,160.0"
    assert drawing([], "wins").most == 0


def test_days_are_counted_from_one() -> None:
    assert date_of("2020-11-30", 2) == "2020-12-01"
    assert date_of("2020-11-30", None) is None


def test_what_is_left_out_is_as_it_is_now() -> None:
    plan = plan_of(PHASE, {"odds": "", "daily_attempts": ""})
    assert call_of(1, plan) == {"phase": 1, "days": 14, "odds": "0.2", "pass_score": 60}
    typed = plan_of(PHASE, {"odds": "12.5", "days": "x", "daily_attempts": "1,000"})
    assert call_of(2, typed) | {"pass_score": 60} == {
        "phase": 2,
        "days": "x",
        "odds": "0.125",
        "pass_score": 60,
        "daily_attempts": 1000,
    }
