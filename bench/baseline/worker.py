"""One process of the ordinary application: `SOCKET_FD`, on a socket that it is handed."""

import socket
import sys

import uvicorn

from bench.baseline.app import create
from deploy.local.http_worker import server_config


def main(handle: str) -> None:
    uvicorn.Server(server_config(create())).run(sockets=[socket.socket(fileno=int(handle))])


if __name__ == "__main__":
    main(sys.argv[1])
