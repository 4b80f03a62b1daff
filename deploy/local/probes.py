"""What the launcher asks the network: the listening socket, `/readyz`, given servers."""

import asyncio
import errno
import socket
from collections.abc import Sequence

from deploy.local.errors import LaunchError

PROBE_SECONDS = 5.0
# Everyone arrives at 11:00:00; the kernel cuts it to its own limit (net.core.somaxconn).
BACKLOG = 2048
STATUS_OK = b" 200 "


def bind(port: int, host: str = "127.0.0.1") -> socket.socket:
    """The address is ours from now on: who connects waits until the first worker is ready.

    Listening at once, because a socket that is only bound does not keep a second launcher from the port.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise LaunchError(
                f"port {port} is taken: stop the program that uses it, or choose another with --port"
            ) from None
        raise LaunchError(f"cannot listen on port {port}: choose another with --port") from None
    return listener


async def answers_ok(port: int, path: str) -> bool:
    """Whether GET answers 200. By hand: a client library would double the launcher's memory."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
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
