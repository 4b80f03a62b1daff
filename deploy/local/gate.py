"""Lets the Python processes load their code while the database is still being started and migrated."""

import os


class Gate:
    """A pipe of which the children hold the reading end: they wait until its writing end is closed.

    A worker that is started again later finds it closed and does not wait.
    """

    def __init__(self) -> None:
        reader, writer = os.pipe()
        self._reader = os.fdopen(reader, "rb", buffering=0)
        self._writer = os.fdopen(writer, "wb", buffering=0)
        self.opened = False

    def fileno(self) -> int:
        return self._reader.fileno()

    def open(self) -> None:
        self._writer.close()
        self.opened = True

    async def is_open(self) -> bool:
        return self.opened

    def close(self) -> None:
        self._writer.close()
        self._reader.close()


def wait_at(gate: int) -> None:
    """In a child: returns when the launcher opens the gate."""
    os.read(gate, 1)
