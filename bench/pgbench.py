"""pgbench over our own schema: what the bare database does with the same transaction, one at a time."""

import asyncio
import os
import re
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from deploy.local.binaries import find_postgres

_TPS = re.compile(rb"^tps = ([0-9.]+) \(without", re.MULTILINE)


class PgbenchFailed(Exception):
    """pgbench did not finish; the message is what it said last."""


def _environment(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    return {
        **os.environ,
        "PGHOST": query.get("host", [parts.hostname or "127.0.0.1"])[0],
        "PGPORT": query.get("port", [str(parts.port or 5432)])[0],
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.lstrip("/"),
    }


async def transactions_a_second(url: str, statement: str, *, clients: int, each: int) -> float:
    """Runs the statement `each` times on every client (prepared, one transaction each).

    Raises:
        PgbenchFailed: it ended with an error.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "script.sql")
        await asyncio.to_thread(script.write_text, statement, encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            str(find_postgres().folder / "pgbench"),
            *("-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-t", str(each), "-f", str(script)),
            env=_environment(url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, error = await process.communicate()
    found = _TPS.search(out)
    if process.returncode != 0 or found is None:
        raise PgbenchFailed(error.decode(errors="replace")[-500:])
    return float(found.group(1))
