class LaunchError(Exception):
    """Expected trouble at the start: the message is one sentence that says what to do; no traceback."""
