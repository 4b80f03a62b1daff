"""Runs the stack in the foreground of a terminal or a service manager, until a signal."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

from deploy.local.stack import Options, Stack
from deploy.local.supervisor import say

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# What to do once everything is ready; True: keep serving afterwards.
Story = Callable[[Stack], Awaitable[bool]]


def run_in_foreground(options: Options, story: Story | None = None) -> None:
    """Prints `ready URL` when all is green and returns after a clean stop.

    Raises:
        LaunchError: expected trouble at the start, in one sentence.
    """
    asyncio.run(_run(options, story))


async def _run(options: Options, story: Story | None) -> None:
    work = asyncio.create_task(_serve(options, story))
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        loop.add_signal_handler(number, _interrupt, work)
    with suppress(asyncio.CancelledError):
        await work


def _interrupt(work: asyncio.Task[None]) -> None:
    if work.cancelling():
        # Somebody does not want to wait for the drain. The kernel and the watchdog end the children.
        os._exit(1)
    say("stopping; once more to stop at once")
    work.cancel()


async def _serve(options: Options, story: Story | None) -> None:
    async with Stack(options) as stack:
        say(f"data, keys, logs and the first clerk's password (secrets.json) are in {stack.home}")
        sys.stdout.write(f"ready {stack.base_url}\n")
        sys.stdout.flush()
        if story is None or await story(stack):
            await asyncio.Event().wait()
