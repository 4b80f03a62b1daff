"""What every page needs, whatever it shows."""

from dataclasses import dataclass

from services.console.pages import store
from services.console.pages.store import Waiting
from shared.kit import Kit

# Separates the tokens of forms from every other keyed hash.
_FORM_DOMAIN = "console-form"


@dataclass(frozen=True, slots=True)
class Forms:
    kit: Kit

    def token(self, secret: str) -> str:
        """Ties a form to the cookie of the browser that it was made for."""
        return self.kit.keys.index.digest(_FORM_DOMAIN, secret).hex()


@dataclass(frozen=True, slots=True)
class Inbox:
    kit: Kit

    async def waiting(self) -> Waiting:
        async with self.kit.database.snapshot() as tx:
            return await store.waiting(tx, self.kit.clock.now())
