from datetime import timedelta

from shared.identity.lifetimes import citizen_token_life, staff_session_life
from shared.settings import Settings


def test_a_clerk_signs_in_for_a_working_day_and_a_citizen_for_a_month(settings: Settings) -> None:
    production = settings.model_copy(update={"demo": False})

    assert staff_session_life(production) == timedelta(hours=12)
    assert citizen_token_life(production) == timedelta(days=30)


def test_a_demonstration_outlives_the_moves_of_its_clock(settings: Settings) -> None:
    assert staff_session_life(settings) > timedelta(days=366)
    assert citizen_token_life(settings) > timedelta(days=366)
