import pytest


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says loudly what was not shown, because a skipped test is easily taken for one that passed."""
    skipped = [
        report
        for report in terminalreporter.getreports("skipped")
        if "NOT RUN: no prom" in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.write_sep(
            "!", f"{len(skipped)} MONITORING TESTS WERE NOT RUN: install prometheus", red=True
        )
