"""What every process of the platform holds: settings, clock, database, keys. Built once, by hand."""

from dataclasses import dataclass

from shared.clock import Clock, OffsetClock, SystemClock
from shared.crypto import Keys, load_keys
from shared.db import Database
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Kit:
    settings: Settings
    clock: Clock
    database: Database
    keys: Keys


def build_kit(settings: Settings, *, clock: Clock | None = None) -> Kit:
    """Builds without connecting; `clock` is given by tests only.

    Raises:
        SettingsMissing: a key is absent or malformed.
    """
    chosen = clock or (OffsetClock() if settings.demo else SystemClock())
    return Kit(
        settings=settings,
        clock=chosen,
        database=Database(
            settings.database_url,
            pool_size=settings.db_pool_size,
            hot_pool_size=settings.db_hot_pool_size,
        ),
        keys=load_keys(settings),
    )
