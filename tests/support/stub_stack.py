"""`python -m tests.support.stub_stack HOME PORT WORKERS [JSON]` does what `hv up` does, with stub programs.

JSON puts other programs in their place. A module of its own, so that the launcher and the migration do not
load FastAPI.
"""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

import asyncpg

from deploy.local.errors import LaunchError
from deploy.local.foreground import run_in_foreground
from deploy.local.stack import Options, Program

PROGRAM = Program(
    app="tests.support.stub_programs:create_origin",
    jobs="tests.support.stub_programs:create_workers",
    upgrade="tests.support.stub_stack:upgrade",
    ready=("/issuance/readyz", "/console/readyz"),
)


async def _upgrade(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS note (text TEXT)")
    finally:
        await connection.close()


def upgrade(database_url: str) -> None:
    asyncio.run(_upgrade(database_url))


def refuse_upgrade(_database_url: str) -> None:
    raise RuntimeError("revision 9999 is unknown")


def main(home: str, port: str, workers: str, others: str = "{}") -> None:
    program = replace(PROGRAM, **json.loads(others))
    options = Options(home=Path(home), port=int(port), workers=int(workers), program=program)
    try:
        run_in_foreground(options)
    except LaunchError as error:
        sys.exit(f"hv: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
