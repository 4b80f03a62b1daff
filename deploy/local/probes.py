"""Whether the services say that they are ready."""

import asyncio
from collections.abc import Sequence

from deploy.local.errors import LaunchError
from deploy.local.listeners import HOST

PROBE_SECONDS = 5.0
STATUS_OK = b" 200 "


async def answers_ok(port: int, path: str) -> bool:
    """Whether GET answers 200. By hand: a client library would double the launcher's memory."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
                return STATUS_OK in await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False


async def wait_green(port: int, paths: Sequence[str], *, seconds: float) -> None:
    waiting = list(paths)
    try:
        async with asyncio.timeout(seconds):
            while True:
                waiting = [path for path in waiting if not await answers_ok(port, path)]
                if not waiting:
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise LaunchError(f"not ready after {seconds:.0f} s: {', '.join(waiting)}") from None
