"""One HTTP worker: `SOCKET_FD GATE_FD READY_FILE MODULE:FACTORY` – uvicorn on the launcher's socket."""

import gc
import socket
import sys
from pathlib import Path

import uvicorn
from typing_extensions import override
from uvicorn.importer import import_from_string

from deploy.local.gate import wait_at
from deploy.local.listeners import BACKLOG
from shared.settings import SettingsMissing

# Requests in flight get this long at a shutdown; api.md promises every answer within 5 s.
DRAIN_SECONDS = 8
# New objects before the youngest are looked at, and how many such looks before the older ones are.
COLLECT_AFTER = (20_000, 20, 50)


class Worker(uvicorn.Server):
    """Says by a file when it serves: the socket is the launcher's, so a connection alone proves nothing."""

    def __init__(self, config: uvicorn.Config, ready: Path) -> None:
        super().__init__(config)
        self._ready = ready

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What the start made stays for good, and requests leave hardly any cycles behind. As the collector is
        # set, it would walk all of it (100 ms, during which nobody is answered) every few hundred requests.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AFTER)
        self._ready.touch()


def server_config(app: object, *, host: str = "127.0.0.1", port: int = 8000) -> uvicorn.Config:
    """How every process of ours serves, alone or on the launcher's socket."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # an ASGI application; uvicorn's own type names its versions
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        # The edge looks behind the proxies that the settings name (shared/http/client.py).
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def main(arguments: list[str]) -> None:
    handle, gate, ready, factory = arguments
    try:
        app = import_from_string(factory)()
    except SettingsMissing as error:
        sys.exit(str(error))
    wait_at(int(gate))
    Worker(server_config(app), Path(ready)).run(sockets=[socket.socket(fileno=int(handle))])


if __name__ == "__main__":
    main(sys.argv[1:])
