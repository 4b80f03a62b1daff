"""Who goes first in a process that tills and citizens share: whoever stands at a counter.

At an opening rush citizens ask for more than the cores can do. Batches of theirs that follow one another
without a pause would leave a till's to wait for a processor. So while tills are at work theirs are small, and
the process rests after each for as long as it took. A process without tills (a service of its own) never
rests.
"""

from shared.clock import machine_seconds

# Tills count as being at work for this long after one asked.
AT_WORK_SECONDS = 1.0


class Precedence:
    def __init__(self) -> None:
        self._asked_at = float("-inf")

    def till_asked(self) -> None:
        self._asked_at = machine_seconds()

    def tills_at_work(self) -> bool:
        return machine_seconds() - self._asked_at < AT_WORK_SECONDS


# Of this process: the services of one origin share its event loop and its cores.
OF_THE_PROCESS = Precedence()
