"""The platform's time, for those who sign with it while a demonstration's clock is moved."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import machine_now


@dataclass(slots=True)
class PlatformTime:
    """`lead` is how far the platform's clock is ahead of the machine's."""

    lead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return machine_now() + self.lead

    def shows(self, moment: datetime) -> None:
        """The platform's clock shows this moment now."""
        self.lead = moment - machine_now()
