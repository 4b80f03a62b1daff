"""`hv`: one command for everything. A new command is a module in deploy/commands and one line in COMMANDS.

Each module has a Typer `app` with its commands. Only the module of the command that was typed is loaded:
`hv up` runs as long as the stack does, and should not carry what the others need.
"""

import sys
from importlib import import_module

import typer

from deploy.local.errors import LaunchError
from shared.settings import SettingsMissing

COMMANDS = {
    "up": "deploy.commands.up",
    "demo": "deploy.commands.demo",
    "replay": "deploy.commands.replay",
    "integrity": "deploy.commands.integrity",
    "verify-draws": "deploy.commands.verify_draws",
    "check-table": "deploy.commands.check_table",
    "bench": "deploy.commands.bench",
    "migrate": "deploy.commands.parts",
    "serve": "deploy.commands.parts",
    "worker": "deploy.commands.parts",
    "doctor": "deploy.commands.doctor",
}


def build_app(arguments: list[str]) -> typer.Typer:
    """The commands that the arguments may mean: all of them, when none is named."""
    app = typer.Typer(
        name="hv",
        help="Health-consumption vouchers and e-health-card quotas (全民健康消费券).",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    named = [COMMANDS[argument] for argument in arguments[:1] if argument in COMMANDS]
    for module in dict.fromkeys(named or COMMANDS.values()):
        app.add_typer(import_module(module).app)
    return app


def main() -> None:
    """Expected trouble is one sentence and exit code 1; a traceback means a fault of ours."""
    try:
        build_app(sys.argv[1:])()
    except (LaunchError, SettingsMissing) as error:
        sys.exit(f"hv: {error}")


if __name__ == "__main__":
    main()
