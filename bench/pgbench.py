"""pgbench over our own schema: what the bare database does with the same transaction, one at a time."""

import asyncio
import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from deploy.local.binaries import find_postgres

# A client's first transactions plan its functions, which later ones do not: they are not counted.
WARM_TRANSACTIONS = 10
_TPS = re.compile(rb"^tps = ([0-9.]+) \(without", re.MULTILINE)


class PgbenchFailed(Exception):
    """pgbench did not finish; the message is what it said last."""


@dataclass(frozen=True, slots=True)
class Transactions:
    """A run without its beginning and its end: rate a second, latencies in seconds."""

    rate: float
    p50: float
    p99: float


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
        out = await _ran(url, statement, Path(folder), clients=clients, each=each)
    found = _TPS.search(out)
    if found is None:
        raise PgbenchFailed(out.decode(errors="replace")[-500:])
    return float(found.group(1))


async def transactions(url: str, script: str, *, clients: int, each: int) -> Transactions:
    """Runs the script `each` times on every client, prepared; what counts is the middle of the run.

    Raises:
        PgbenchFailed: it ended with an error.
    """
    with tempfile.TemporaryDirectory() as folder:
        await _ran(url, script, Path(folder), clients=clients, each=each, options=("-l",))
        return steady(await asyncio.to_thread(_logged, Path(folder)))


def _logged(folder: Path) -> list[str]:
    return [line for log in folder.glob("pgbench_log.*") for line in log.read_text("utf-8").splitlines()]


def steady(log: Iterable[str]) -> Transactions:
    """What the log of a run tells of its middle, without the first transactions and the tail.

    A line is: client, number of its transaction, µs, script, seconds and µs of its end.
    """
    lines = [line.split() for line in log]
    clients = len({fields[0] for fields in lines})
    ended = sorted((int(fields[4]) + int(fields[5]) / 1e6, int(fields[2]) / 1e6) for fields in lines)
    middle = ended[WARM_TRANSACTIONS * clients : len(ended) - clients]
    if len(middle) < 2:
        raise PgbenchFailed(f"{len(ended)} transactions are too few for {clients} clients")
    seconds = sorted(took for _, took in middle)
    return Transactions(
        rate=(len(middle) - 1) / (middle[-1][0] - middle[0][0]),
        p50=seconds[len(seconds) // 2],
        p99=seconds[int(len(seconds) * 0.99)],
    )


async def _ran(
    url: str, script: str, folder: Path, *, clients: int, each: int, options: tuple[str, ...] = ()
) -> bytes:
    file = folder / "script.sql"
    await asyncio.to_thread(file.write_text, script, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        str(find_postgres().folder / "pgbench"),
        *("-n", "-M", "prepared", "-c", str(clients), "-j", "1", "-t", str(each), "-f", str(file), *options),
        env=_environment(url),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    if process.returncode != 0 or b"ERROR" in error:
        raise PgbenchFailed(error.decode(errors="replace")[-500:])
    return out
