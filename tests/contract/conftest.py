import pytest


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says loudly what was not shown, because a skipped test is easily taken for one that passed."""
    skipped = [
        report
        for report in terminalreporter.getreports("skipped")
        if "NODE IS MISSING" in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.write_sep("!", "THE MINI-PROGRAM WAS NOT TESTED: install nodejs", red=True)
