import asyncio
from collections.abc import Awaitable, Callable

from deploy.local.errors import LaunchError

PROBE_PAUSE_SECONDS = 0.05


async def wait_ready(
    process: asyncio.subprocess.Process,
    probe: Callable[[], Awaitable[bool]],
    *,
    seconds: float | None,
    explain: Callable[[], str],
) -> None:
    """Until the probe says yes; a process that ends before, or takes too long, is explained."""
    try:
        async with asyncio.timeout(seconds):
            while not await probe():
                if process.returncode is not None:
                    raise LaunchError(explain())
                await asyncio.sleep(PROBE_PAUSE_SECONDS)
    except TimeoutError:
        raise LaunchError(f"not ready after {seconds:.0f} s: {explain()}") from None
