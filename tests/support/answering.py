"""A small HTTP server on real sockets that answers as a test says."""

import socket
import threading
from collections.abc import Callable

Answer = Callable[[bytes], bytes]


def response(status: int, body: bytes = b"", *headers: str) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status} Said", f"content-length: {len(body)}", *headers])
    return head.encode() + b"\r\n\r\n" + body


class Served:
    """A server that answers each request by `answer`; an empty answer ends the connection."""

    def __init__(self) -> None:
        self.answer: Answer = lambda request: response(200, request.rpartition(b"\r\n\r\n")[2])
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while request := connection.recv(65_536):
                told = self.answer(request)
                if not told:
                    return
                # In two pieces, as a network delivers.
                connection.sendall(told[:20])
                connection.sendall(told[20:])

    def close(self) -> None:
        self._socket.close()
