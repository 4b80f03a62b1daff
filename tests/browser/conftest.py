import pytest

from shared.settings import Settings


@pytest.fixture(scope="module")
def settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of each module its own: what its pages upload lies beside nobody else's."""
    return settings.model_copy(update={"objects_dir": tmp_path_factory.mktemp("objects")})


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says loudly what was not shown, because a skipped test is easily taken for one that passed."""
    skipped = [
        report for report in terminalreporter.getreports("skipped") if "NOT RUN" in str(report.longrepr)
    ]
    if skipped:
        terminalreporter.write_sep(
            "!", f"{len(skipped)} BROWSER TESTS WERE NOT RUN: install chromium", red=True
        )
