"""Which servers the stack stands on: those of the environment, or embedded ones in the data folder."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.given import check_database, check_redis
from deploy.local.postgres import DATABASE, OWNER, Postgres, locate_postgres
from deploy.local.postgres_config import connections_for
from deploy.local.valkey import Valkey, locate_valkey


@dataclass(frozen=True)
class Databases:
    """`settings` are known before anything runs: ports, sockets and passwords are chosen beforehand."""

    postgres: Postgres | None
    valkey: Valkey | None
    settings: Mapping[str, str]

    @property
    def parts(self) -> list[Postgres | Valkey]:
        """In the order of their start; Redis is stopped first."""
        return [part for part in (self.postgres, self.valkey) if part]

    @property
    def sockets(self) -> Path | None:
        return self.parts[0].sockets if self.parts else None

    async def check_given(self) -> None:
        """Before anything is started on top of them.

        Raises:
            LaunchError: a server of the environment does not answer.
        """
        if self.postgres is None:
            await check_database(self.settings["HV_DATABASE_URL"])
        if self.valkey is None:
            await check_redis(self.settings["HV_REDIS_URL"])

    def describe(self) -> str:
        postgres, valkey = self.postgres, self.valkey
        names = [
            f"Postgres {postgres.binaries.version} of {postgres.binaries.source}"
            if postgres
            else "the Postgres of HV_DATABASE_URL",
            f"Valkey {valkey.binary.version} of {valkey.binary.source}"
            if valkey
            else "the Redis of HV_REDIS_URL",
        ]
        return " and ".join(names)


def locate_databases(home: Path, secrets: Mapping[str, str], *, processes: int) -> Databases:
    """`processes` is how many will connect, each with the pools of all services."""
    postgres = valkey = None
    settings = {name: os.environ.get(name, "") for name in ("HV_DATABASE_URL", "HV_REDIS_URL")}
    if not settings["HV_DATABASE_URL"]:
        postgres = locate_postgres(
            home, password=secrets["postgres_admin_password"], connections=connections_for(processes)
        )
        settings["HV_DATABASE_URL"] = postgres.url(
            DATABASE, user=OWNER, password=secrets["postgres_password"]
        )
    if not settings["HV_REDIS_URL"]:
        valkey = locate_valkey(home, password=secrets["redis_password"])
        settings["HV_REDIS_URL"] = valkey.url()
    return Databases(postgres, valkey, settings)
