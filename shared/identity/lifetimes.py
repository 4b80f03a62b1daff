"""How long a sign-in lasts, by the platform's clock."""

from datetime import timedelta

from shared.settings import Settings

# A working day; a clerk signs in once in the morning.
_STAFF = timedelta(hours=12)
# A mini-program signs in again silently when its token has ended.
_CITIZEN = timedelta(days=30)
# A demonstration's clock is moved by months; nobody should have to sign in after each move.
_DEMONSTRATION = timedelta(days=400)


def staff_session_life(settings: Settings) -> timedelta:
    return _DEMONSTRATION if settings.demo else _STAFF


def citizen_token_life(settings: Settings) -> timedelta:
    return _DEMONSTRATION if settings.demo else _CITIZEN
