"""The HTTP port, taken by the launcher: one in use is one sentence and not a worker's traceback."""

import errno
import socket
import sys
from contextlib import suppress

from deploy.local.errors import LaunchError

HOST = "127.0.0.1"
# Everyone arrives at 11:00:00; the kernel cuts it to its own limit (net.core.somaxconn).
BACKLOG = 2048


def listen(port: int, workers: int = 1) -> list[socket.socket]:
    """A listening socket for each worker, all on one port; who connects waits until a worker is ready.

    The kernel spreads connections over such a group by their hash. On one shared socket the worker that
    wakes first accepts all that wait: of 64 clients that came together, one of two workers had 64. Only
    Linux spreads; elsewhere the workers share.
    """
    first = _listen(port)
    if workers == 1 or sys.platform != "linux":
        return [first] * workers
    # The first was alone on the port: it proved that nobody else listens. The group follows at once.
    port = first.getsockname()[1]
    first.close()
    return [_listen(port, group=True) for _ in range(workers)]


def _listen(port: int, *, group: bool = False) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if group:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((HOST, port))
        # At once: a socket that is only bound does not keep a second launcher from the port.
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise LaunchError(
                f"port {port} is taken: stop the program that uses it, or choose another with --port"
            ) from None
        raise LaunchError(f"cannot listen on port {port}: choose another with --port") from None
    return listener


def stand_back(listener: socket.socket) -> None:
    """Takes a dead worker's socket out of the group until its successor listens on it again.

    Connections would wait there for the successor otherwise, while other workers are free. Only for a
    group: the port of a lone socket may have been chosen by the kernel, which would take it back.
    """
    with suppress(OSError):  # closed already: everything is stopping
        listener.shutdown(socket.SHUT_RDWR)
