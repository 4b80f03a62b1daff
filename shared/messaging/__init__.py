"""Telling people something outside the platform: the port, and what can become of a message.

An adapter makes one attempt and says what became of it; it never raises. Who asks keeps the attempt before
it is made and decides whether it is made again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

# sent: the provider has taken it. refused: it never will, such as when the person said no. later: not now.
# failed: it surely did not go out. unclear: nobody knows whether it did.
Became = Literal["sent", "refused", "later", "failed", "unclear"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`code` is a word or the provider's own code; never the text of a message or who got it.

    `after_seconds` goes with `later`: None means tomorrow, when the provider's day begins anew.
    """

    became: Became
    code: str | None = None
    after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """`id` stays the same for every attempt. `values` are what templates of a provider may name."""

    id: str
    to: str
    kind: str
    language: str
    text: str
    values: Mapping[str, str]


class Messenger(Protocol):
    async def send(self, message: Message) -> Outcome: ...

    async def close(self) -> None: ...


def cut(value: str, length: int) -> str:
    """The text within a provider's limit; what is missing shows as an ellipsis."""
    return value if len(value) <= length else value[: length - 1] + "…"
