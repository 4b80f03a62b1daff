"""Decisions about passwords, sign-in attempts and roles. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import Fault
from shared.identity.staff import Role, Staff

# Five guesses in a quarter of an hour: at that pace a password that keeps the rules below is never found,
# and a clerk who mistypes waits for a coffee, not for an administrator.
FAILURES_MAX = 5
FAILURE_WINDOW = timedelta(minutes=15)

# Separates the keyed hashes of user names from every other one.
SIGN_IN_DOMAIN = "sign-in"

PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 256
PASSWORD_CLASSES_MIN = 3
# A shorter name is part of too many good passwords to mean anything.
_NAME_LENGTH_MEANT = 3


@dataclass(frozen=True, slots=True)
class Account:
    """A staff member as other staff see it."""

    staff: Staff
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands now: `locked_seconds` is 0 while signing in is not locked."""

    second_factor: bool
    sessions: int
    locked_seconds: int


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failed sign-ins of a user name since the window began."""

    failures: int
    window_started_at: datetime

    def locked_seconds(self, now: datetime) -> int:
        """How long nobody may try this name; 0 when somebody may."""
        end = self.window_started_at + FAILURE_WINDOW
        if self.failures < FAILURES_MAX or end <= now:
            return 0
        return max(1, round((end - now).total_seconds()))


def password_faults(password: str, username: str, *, loc: str = "body.password") -> tuple[Fault, ...]:
    """Everything that is wrong with a new password, not only the first thing."""
    faults = []
    if len(password) < PASSWORD_LENGTH_MIN:
        faults.append(Fault(loc, f"needs at least {PASSWORD_LENGTH_MIN} characters", "password_too_short"))
    if _classes(password) < PASSWORD_CLASSES_MIN:
        faults.append(
            Fault(
                loc, "needs three of: small letters, capitals, digits, other characters", "password_too_plain"
            )
        )
    if len(username) >= _NAME_LENGTH_MEANT and username.casefold() in password.casefold():
        faults.append(Fault(loc, "must not contain the user name", "password_contains_username"))
    return tuple(faults)


def _classes(password: str) -> int:
    kinds = (str.islower, str.isupper, str.isdigit, lambda symbol: not symbol.isalnum())
    found = sum(any(kind(symbol) for symbol in password) for kind in kinds)
    # Letters without case (Chinese) are a kind of their own: a sentence is a good password.
    return found + any(symbol.isalpha() and symbol.lower() == symbol.upper() for symbol in password)


def binding_faults(
    roles: Collection[Role], *, institution_id: str | None, hospital_id: str | None
) -> tuple[Fault, ...]:
    """The roles that see only their own rows need to say whose rows those are."""
    needed = (
        (Role.INSTITUTION, institution_id, "body.institution_id"),
        (Role.HOSPITAL, hospital_id, "body.hospital_id"),
    )
    return tuple(
        Fault(loc, f"is needed for the role {role.value}", "missing")
        for role, bound_to, loc in needed
        if role in roles and not bound_to
    )
