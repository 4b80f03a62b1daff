"""Institutions: credit codes, entries of the directory, which types wait for approval. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from shared.errors import Fault

InstitutionStatus = Literal["active", "paused", "closed"]

NAME_MAX = 200
SHORT_MAX = 100
ACCEPTS_MAX = 50

# GB 32100-2015: 18 symbols without I, O, S, V, Z; the last one checks the 17 before it, modulo 31.
_CREDIT_SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_LENGTH = 18


def credit_code_fault(code: str) -> str | None:
    """What is wrong with a unified social credit code: length, characters, check_digit; None when nothing.

    A warning, never a refusal: some real old codes fail the check.
    """
    if len(code) != _CREDIT_LENGTH:
        return "length"
    if any(symbol not in _CREDIT_SYMBOLS for symbol in code):
        return "characters"
    modulus = len(_CREDIT_SYMBOLS)
    total = sum(
        _CREDIT_SYMBOLS.index(symbol) * pow(3, place, modulus) for place, symbol in enumerate(code[:-1])
    )
    return None if _CREDIT_SYMBOLS[-total % modulus] == code[-1] else "check_digit"


def credit_code_warnings(code: str | None) -> list[Fault]:
    if code is None:
        return []
    fault = credit_code_fault(code)
    if fault is None:
        return []
    return [Fault("body.credit_code", "统一社会信用代码校验不通过，请核对", fault)]


def accepts_faults(accepts: Sequence[str], known: frozenset[str]) -> tuple[Fault, ...]:
    """One fault for each accepted type that the campaign does not have."""
    return tuple(
        Fault(f"body.accepts.{place}", f"the campaign has no voucher type {key!r}", "voucher_type_unknown")
        for place, key in enumerate(accepts)
        if key not in known
    )


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """An institution as the directory tells it; None where it says nothing."""

    name: str
    category: str
    county: str | None
    public: bool | None
    address: str | None
    credit_code: str | None
    accepts: tuple[str, ...]
    hours: Mapping[str, Sequence[str]] | None = None

    def told(self) -> dict[str, Any]:
        """As it is kept in history."""
        return {**asdict(self), "accepts": list(self.accepts)}


def entry_of(told: Mapping[str, Any]) -> DirectoryEntry:
    """Back from history."""
    return DirectoryEntry(**{**told, "accepts": tuple(told["accepts"])})


@dataclass(frozen=True, slots=True)
class Admission:
    """The types that an institution accepts in a campaign, and those that wait for approval."""

    accepts: tuple[str, ...]
    awaiting: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """What it says that it accepts."""
        return self.accepts + self.awaiting


def admitted(wanted: Sequence[str], now: Admission | None, *, approval: bool) -> Admission:
    """What becomes of the types that somebody wants it to accept.

    Where a campaign asks for approval, types that it does not accept yet wait; taking one away does not.
    """
    if not approval:
        return Admission(tuple(wanted))
    accepted = () if now is None else now.accepts
    return Admission(
        tuple(key for key in wanted if key in accepted), tuple(key for key in wanted if key not in accepted)
    )
