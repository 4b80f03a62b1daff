"""Brings the schema of HV_DATABASE_URL to this version's: `[MODULE:FUNCTION]`."""

import asyncio
import os
import sys
from collections.abc import Callable

from uvicorn.importer import import_from_string

from deploy.local.errors import LaunchError
from deploy.local.given import check_database

UPGRADE = "migrations.runner:upgrade"


def upgrade(database_url: str, function: str = UPGRADE) -> None:
    run: Callable[[str], None] = import_from_string(function)
    run(database_url)


def migrate_given() -> None:
    """What `hv migrate` does: the URL comes from the environment, trouble with it is one sentence."""
    url = os.environ.get("HV_DATABASE_URL")
    if not url:
        raise LaunchError("HV_DATABASE_URL is not set: set it to the database that is to be migrated")
    asyncio.run(check_database(url))
    upgrade(url)


if __name__ == "__main__":
    upgrade(os.environ["HV_DATABASE_URL"], *sys.argv[1:])
