"""Names the modules that are due to be split; `make lint` shows it, nothing fails by it."""

import pytest

from tests.architecture.rules_shape import above_the_guide
from tests.architecture.source import house


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = list(above_the_guide(house()))
    if lines:
        terminalreporter.section("next to be split")
        for line in lines:
            terminalreporter.write_line(line)
