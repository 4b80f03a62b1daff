class LaunchError(Exception):
    """Expected trouble at the start: the message is one sentence that says what to do; no traceback."""


def first_sentence(group: BaseExceptionGroup[BaseException]) -> LaunchError | None:
    """Of several parts that failed at the same time: one sentence is enough to act on."""
    for error in group.exceptions:
        if isinstance(error, LaunchError):
            return error
        if isinstance(error, BaseExceptionGroup) and (found := first_sentence(error)):
            return found
    return None
