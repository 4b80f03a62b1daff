"""`hv`: one command for everything. A new command is a module in deploy/commands and one line in GROUPS."""

import sys

import typer

from deploy.commands import demo, doctor, parts, replay, up
from deploy.local.errors import LaunchError
from shared.settings import SettingsMissing

GROUPS = (up.app, demo.app, replay.app, parts.app, doctor.app)

app = typer.Typer(
    name="hv",
    help="Health-consumption vouchers and e-health-card quotas (全民健康消费券).",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in GROUPS:
    app.add_typer(group)


def main() -> None:
    """Expected trouble is one sentence and exit code 1; a traceback means a fault of ours."""
    try:
        app()
    except (LaunchError, SettingsMissing) as error:
        sys.exit(f"hv: {error}")


if __name__ == "__main__":
    main()
